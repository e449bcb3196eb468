import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.helpers import randomise
from vitcourse.attention import causal_mask
from vitcourse.positions import sinusoidal
from vitcourse.transformer import Transformer, TransformerConfig, beam_decode, greedy_decode
from vitcourse.transformer.layers import DecoderLayer, EncoderLayer, LayerConfig

# Of torch's own: it can pack padded batches, and says at every start when it will not.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")

TINY = TransformerConfig(
    dim=24, num_heads=4, mlp_ratio=2.5, dropout=0.0, source_vocab=17, target_vocab=17, encoder_depth=2, decoder_depth=3,
    max_length=16, final_norm=True,
)  # fmt: skip
VARIANTS = [(norm_first, activation) for norm_first in (False, True) for activation in ("relu", "gelu")]

TO_TORCH = (
    ("cross_attn.", "multihead_attn."),
    (".attn.", ".self_attn."),
    ("qkv.weight", "in_proj_weight"),
    ("qkv.bias", "in_proj_bias"),
    (".proj.", ".out_proj."),
    ("mlp.fc1", "linear1"),
    ("mlp.fc2", "linear2"),
)


def torch_name(key):
    """A key of our encoder or decoder in `torch.nn.Transformer`; every tensor is the same in both."""
    for ours, theirs in TO_TORCH:
        key = key.replace(ours, theirs)
    return key


def torch_twin(model, dropout=0.0):
    """`torch.nn.Transformer` with the weights of our two stacks, all of its keys filled."""
    c = model.config
    twin = nn.Transformer(
        c.dim, c.num_heads, c.encoder_depth, c.decoder_depth, round(c.dim * c.mlp_ratio), dropout, c.activation,
        layer_norm_eps=c.norm_eps, batch_first=True, norm_first=c.norm_first,
    )  # fmt: skip
    state = {torch_name(key): tensor for key, tensor in model.state_dict().items() if key[:7] in ("encoder", "decoder")}
    twin.to(model.source_embed.weight.dtype).load_state_dict(state)
    return twin


def stacks(model, source, target, padding, target_padding=None):
    """Our encoder and decoder on vectors; padding (B, S) and target_padding (B, T) are True at tokens."""
    keys = padding[:, None, None]
    own = None if target_padding is None else target_padding[:, None, None]
    return model.decoder(target, model.encoder(source, keys), own, keys)


def twin_stacks(twin, source, target, padding, target_padding=None):
    """The same from torch, where True = hidden."""
    own = None if target_padding is None else ~target_padding
    return twin(
        source, target, tgt_mask=~causal_mask(target.shape[1]), src_key_padding_mask=~padding,
        memory_key_padding_mask=~padding, tgt_key_padding_mask=own,
    )  # fmt: skip


def vectors(dtype=torch.float64):
    source, target = torch.randn(3, 7, 24, dtype=dtype), torch.randn(3, 5, 24, dtype=dtype)
    padding = torch.arange(7) < torch.tensor([[7], [4], [1]])
    return source.requires_grad_(), target.requires_grad_(), padding


def relative(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()


@pytest.mark.parametrize("target_padding", [None, torch.arange(5) < torch.tensor([[3], [5], [1]])], ids=["", "padded"])
@pytest.mark.parametrize(("norm_first", "activation"), VARIANTS)
def test_stacks_equal_torch_values_and_gradients(norm_first, activation, target_padding):
    model = randomise(Transformer(replace(TINY, norm_first=norm_first, activation=activation)))
    twin = torch_twin(model)
    source, target, padding = vectors()
    ours = stacks(model, source, target, padding, target_padding)
    theirs = twin_stacks(twin, source, target, padding, target_padding)
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)
    weight = torch.randn_like(ours)
    pairs = [(key, parameter) for key, parameter in model.named_parameters() if key[:7] in ("encoder", "decoder")]
    theirs_by_name = dict(twin.named_parameters())
    assert len(pairs) == len(theirs_by_name) == 2 * 12 + 3 * 18 + 4
    own = torch.autograd.grad((ours * weight).sum(), [source, target, *(p for _, p in pairs)])
    other = torch.autograd.grad(
        (theirs * weight).sum(), [source, target, *(theirs_by_name[torch_name(key)] for key, _ in pairs)]
    )
    assert all(gradient.abs().max() > 1e-6 for gradient in other[:2])
    for mine, reference in zip(own, other, strict=True):
        torch.testing.assert_close(mine, reference, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(("norm_first", "activation"), VARIANTS)
def test_stacks_equal_torch_in_float32(norm_first, activation):
    model = randomise(Transformer(replace(TINY, norm_first=norm_first, activation=activation))).float()
    twin = torch_twin(model)
    source, target, padding = vectors(torch.float32)
    ours, theirs = stacks(model, source, target, padding), twin_stacks(twin, source, target, padding)
    assert relative(ours, theirs) < 1e-5
    own, other = torch.autograd.grad(ours.square().sum(), source), torch.autograd.grad(theirs.square().sum(), source)
    assert relative(own[0], other[0]) < 1e-5


def test_dropout_falls_where_torch_lets_it_fall():
    """The same seed, three kinds of dropout, equal outputs: each is drawn in the same order over the same shape.

    One row only: torch keeps a batch as (length, batch, width) in places, and so would draw in another order.
    """
    model = randomise(Transformer(replace(TINY, dropout=0.3, attn_dropout=0.3, mlp_dropout=0.3)))
    twin = torch_twin(model, dropout=0.3)
    source, target, padding = (tensor[:1] for tensor in vectors())
    torch.manual_seed(5)
    ours = stacks(model, source, target, padding)
    torch.manual_seed(5)
    theirs = twin_stacks(twin, source, target, padding)
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)
    assert (ours - stacks(model.eval(), source, target, padding)).abs().max() > 0.1


@pytest.mark.parametrize("share", [True, False])
def test_the_model_is_embeddings_stacks_and_projection(share):
    model = randomise(Transformer(replace(TINY, share_embeddings=share))).eval()
    source, target = torch.randint(1, 17, (2, 6)), torch.randint(1, 17, (2, 4))
    source[1, 4:] = 0
    state = model.state_dict()
    tables = [state["source_embed.weight"]] * 3
    if not share:
        tables[1:] = state["target_embed.weight"], state["output.weight"]
    positions = sinusoidal(16, 24).double()
    into, out = tables[0][source] * math.sqrt(24) + positions[:6], tables[1][target] * math.sqrt(24) + positions[:4]
    expected = twin_stacks(torch_twin(model), into, out, source != 0) @ tables[2].T
    torch.testing.assert_close(model(source, target), expected, atol=1e-10, rtol=0)


def test_shared_embeddings_are_one_parameter_that_both_ends_train():
    model = randomise(Transformer(TINY))
    tables = [key for key in model.state_dict() if not key.startswith(("encoder.", "decoder."))]
    assert tables == ["source_embed.weight"]
    model(torch.tensor([[3, 4]]), torch.tensor([[5]]))[0, 0, 6].backward()
    touched = model.source_embed.weight.grad.abs().sum(dim=1) > 0
    assert touched.nonzero().flatten().tolist() == [3, 4, 5, 6]


def test_parameter_counts():
    """The base model of Table 3 (65 million there); torch's own stack of that size has a norm more after each."""
    with torch.device("meta"):
        base = Transformer(TransformerConfig())
        stack = nn.Transformer(512, 8, 6, 6, 2048)
    count = sum(parameter.numel() for parameter in base.parameters())
    assert count == 63_082_496
    assert count - 37_000 * 512 + 2 * 2 * 512 == sum(parameter.numel() for parameter in stack.parameters())


@pytest.mark.parametrize("norm_first", [False, True])
def test_final_norms_follow_norm_first_unless_asked(norm_first):
    model = Transformer(replace(TINY, norm_first=norm_first, final_norm=None))
    assert ("encoder.norm.weight" in model.state_dict()) is norm_first
    assert ("decoder.norm.weight" in model.state_dict()) is norm_first
    assert "decoder.norm.weight" in Transformer(TINY).state_dict()


def test_norm_eps_reaches_every_norm():
    model = Transformer(replace(TINY, norm_eps=0.5))
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 2 * 2 + 3 * 3 + 2
    assert {norm.eps for norm in norms} == {0.5}


def test_padding_and_future_change_nothing():
    model = randomise(Transformer(TINY)).eval()
    source, target = torch.randint(1, 17, (2, 6)), torch.randint(1, 17, (2, 4))
    logits = model(source, target)
    padded = model(nn.functional.pad(source, (0, 3)), nn.functional.pad(target, (0, 2)))
    torch.testing.assert_close(padded[:, :4], logits, atol=1e-12, rtol=0)
    changed = target.clone()
    changed[:, 2] = changed[:, 2] % 16 + 1
    difference = (model(source, changed) - logits).abs().amax(dim=(0, 2))
    assert difference[:2].max() == 0
    assert difference[2:].min() > 1e-6


def test_a_source_of_padding_alone_is_finite():
    model = randomise(Transformer(TINY))
    logits = model(torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 2, dtype=torch.long))
    logits.sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_the_decoder_reads_its_target_in_pieces():
    model = randomise(Transformer(TINY)).eval()
    source, target = torch.randint(0, 17, (3, 6)), torch.randint(1, 17, (3, 8))
    mask = model.padding_mask(source)
    memory, cache = model.encode(source, mask), model.new_cache()
    pieces = [model.decode(piece, memory, mask, cache) for piece in target.split([1, 3, 2, 2], dim=1)]
    assert cache.length == 8
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(source, target), atol=1e-10, rtol=0)


def test_the_start_keeps_the_signal_in_size():
    model = Transformer(replace(TINY, dim=256, source_vocab=500, target_vocab=500))
    scaled = model.source_embed.weight * 16
    assert 0.95 < scaled.std() < 1.05
    bound = math.sqrt(6 / (256 + 3 * 256))
    weight = model.encoder.layers[0].attn.qkv.weight
    assert 0.98 * bound < weight.abs().max() <= bound
    assert (model.decoder.layers[1].cross_attn.qkv.bias == 0).all()


@pytest.mark.parametrize("layer", [EncoderLayer, DecoderLayer])
def test_a_layer_stands_alone(layer):
    x = torch.randn(2, 5, 32)
    arguments = (x,) if layer is EncoderLayer else (x, torch.randn(2, 7, 32))
    assert layer(LayerConfig(dim=32, num_heads=4))(*arguments).shape == (2, 5, 32)


def tokens():
    source = torch.randint(1, 17, (2, 6))
    source[1, 3:] = 0
    return source, torch.randint(1, 17, (2, 4))


@pytest.mark.starts_programs
def test_under_compile():
    model = randomise(Transformer(replace(TINY, encoder_depth=1, decoder_depth=1)))
    compiled = torch.compile(model, fullgraph=True)
    source, target = tokens()
    expected = model(source, target)
    actual = compiled(source, target)
    torch.testing.assert_close(actual, expected, atol=1e-10, rtol=0)
    own = torch.autograd.grad(expected.square().mean(), model.source_embed.weight)
    torch.testing.assert_close(
        torch.autograd.grad(actual.square().mean(), model.source_embed.weight), own, atol=1e-10, rtol=0
    )


def test_under_bf16_autocast(device):
    model = Transformer(TINY).to(device)
    source, target = (ids.to(device) for ids in tokens())
    expected = model(source, target)
    with torch.autocast(device.type, torch.bfloat16):
        logits = model(source, target)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
    loss.backward()
    assert logits.dtype == torch.bfloat16
    assert relative(logits.float(), expected) < 0.03
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_under_export():
    model = randomise(Transformer(TINY)).eval()
    source, target = tokens()
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", min=2, max=16)
    program = torch.export.export(model, (source, target), dynamic_shapes=({0: batch, 1: length}, {0: batch}))
    longer, start = torch.randint(0, 17, (3, 9)), torch.randint(0, 17, (3, 4))
    torch.testing.assert_close(program.module()(longer, start), model(longer, start), atol=1e-10, rtol=0)


@pytest.mark.gpu
@pytest.mark.parametrize("norm_first", [False, True])
def test_on_a_gpu(norm_first, device):
    model = randomise(Transformer(replace(TINY, norm_first=norm_first))).eval()
    source, target = tokens()
    expected, written = model(source, target), greedy_decode(model, source, 1, 2, 8)
    model.to(device)
    torch.testing.assert_close(model(source.to(device), target.to(device)).cpu(), expected, atol=1e-10, rtol=0)
    assert torch.equal(greedy_decode(model, source.to(device), 1, 2, 8).cpu(), written)
    assert torch.equal(beam_decode(model, source.to(device), 1, 2, 8, beams=1)[0][:, 0].cpu(), written)


LONG = torch.ones(1, 17, dtype=torch.long)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m(LONG, LONG[:, :2]), "16 positions, got 17 tokens"),
        (lambda m: m(LONG[:, :2], LONG), "16 positions, got 17 tokens"),
        (lambda m: m(17 * LONG[:, :2], LONG[:, :2]), "in 0 to 16, got 17"),
        (lambda m: m(LONG[:, :2], -LONG[:, :2]), "in 0 to 16, got -1"),
        (lambda m: m(LONG[0, :2], LONG[:, :2]), r"two axes .* got shape \(2,\)"),
        (lambda m: m(LONG[:, :2], LONG[:, :2], torch.ones(1, 2, dtype=torch.bool)), r"\(1, 1, 1, 2\), got \(1, 2\)"),
        (lambda m: m(LONG[:, :2], LONG[:, :2], torch.ones(1, 1, 1, 3)), r"\(1, 1, 1, 2\), got \(1, 1, 1, 3\)"),
        (lambda m: m(LONG[:, :2], LONG[:, :2], torch.ones(1, 1, 1, 2, dtype=torch.long)), "boolean .* got torch.int64"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(Transformer(TINY))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "swish"}, "activation must be one of relu, gelu, got 'swish'"),
        ({"num_heads": 5}, "dim=24 and num_heads=5"),
        ({"target_vocab": 9}, "source_vocab=17 and target_vocab=9"),
        ({"decoder_depth": 0}, "decoder_depth must be at least 1, got 0"),
    ],
)
def test_a_bad_config_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        Transformer(replace(TINY, **options))


def test_an_unknown_field_is_a_type_error():
    with pytest.raises(TypeError, match="heads"):
        TransformerConfig(heads=3)
