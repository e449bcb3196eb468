"""Converters: every library's own model, its own files, there and back, and every way in which names can be wrong."""

import warnings
from dataclasses import replace
from functools import partial

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch import nn

from tests.helpers import randomise
from vitcourse.attention import MultiHeadAttention
from vitcourse.bert import BertConfig, BertForPreTraining
from vitcourse.errors import CheckpointError
from vitcourse.recipes.speed.references import reference
from vitcourse.transformer import Transformer, TransformerConfig
from vitcourse.vit import VisionTransformer, ViTConfig
from vitcourse.weights import convert
from vitcourse.weights.checkpoints import read

TINY = ViTConfig(image_size=32, patch_size=8, num_classes=5, dim=24, depth=2, num_heads=4)
HF_TINY = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}


def same(first, second):
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def hf_vit(kind=transformers.ViTModel, **options):
    return randomise(kind(transformers.ViTConfig(image_size=32, patch_size=8, **HF_TINY, **options))).eval()


def hf_bert(kind=transformers.BertForPreTraining):
    config = transformers.BertConfig(vocab_size=40, max_position_embeddings=12, **HF_TINY)
    return randomise(kind(config)).eval()


def torch_transformer():
    return randomise(nn.Transformer(24, 4, 2, 2, 96, batch_first=True)).eval()


def ours(**changes):
    return randomise(VisionTransformer(replace(TINY, **changes))).state_dict()


PARALLEL = {"block": "parallel_layer_scale_init", "num_parallel": 2}
SOURCES = {
    "timm": lambda: ("timm", ours()),
    "timm, average": lambda: ("timm", ours(pool="avg")),
    "timm, parallel": lambda: ("timm", ours(block="parallel", num_parallel=3, init_values=0.1, qkv_bias=False)),
    "vitcourse, hMLP": lambda: ("vitcourse", ours(stem="hmlp", patch_size=16)),
    "vitcourse, convolutions": lambda: ("vitcourse", ours(stem="conv", patch_size=8)),
    "deit": lambda: ("deit", convert(ours(block="layer_scale_init"), "vitcourse", "deit")),
    "deit, parallel": lambda: ("deit", convert(ours(**PARALLEL), "vitcourse", "deit")),
    "hf": lambda: ("hf", hf_vit(transformers.ViTForImageClassification, num_labels=5).state_dict()),
    "hf, no head": lambda: ("hf", hf_vit(partial(transformers.ViTModel, add_pooling_layer=False)).state_dict()),
    "torchvision": lambda: ("torchvision", reference("torchvision", VisionTransformer(TINY)).state_dict()),
    "hf_bert": lambda: ("hf_bert", hf_bert().state_dict()),
    "hf_bert, no head": lambda: ("hf_bert", hf_bert(transformers.BertModel).state_dict()),
    "torch": lambda: ("torch", torch_transformer().state_dict()),
    "torch, attention": lambda: ("torch", nn.MultiheadAttention(24, 4).state_dict()),
}


@pytest.fixture(params=SOURCES)
def source(request):
    return SOURCES[request.param]()


def test_there_and_back_is_the_identity(source):
    library, state = source
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(convert(convert(state, library), "vitcourse", library), state)


def test_every_lost_name_and_every_stranger_is_named(source):
    library, state = source

    # Nothing is lost without BERT's output layer, a repeated parameter; and one attention may have no bias.
    spare = ("cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "in_proj_bias")
    for lost in (name for name in state if name not in spare):
        changed = {name: tensor for name, tensor in state.items() if name != lost} | {"extra.stranger": torch.zeros(1)}
        with pytest.raises(KeyError) as error:
            convert(changed, library)
        assert "unknown: extra.stranger" in str(error.value)
        assert lost.removeprefix("vit.") in str(error.value)


def test_hugging_face_files_have_the_older_names(tmp_path):
    """What save_pretrained writes, and every file of the hub: 5.9 changed the names in memory alone."""
    model = hf_vit(transformers.ViTForImageClassification, num_labels=5)
    model.float().save_pretrained(tmp_path)
    state = read(tmp_path / "model.safetensors")
    assert "vit.encoder.layer.0.attention.attention.query.weight" in state
    config = replace(TINY, norm_eps=1e-12)
    converted = convert(state, "hf", config=config)
    assert same(converted, convert(model.state_dict(), "hf", config=config))
    mine = VisionTransformer(config).eval()
    mine.load_state_dict(converted)
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(mine(images), model(images).logits, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("prefix", ["", "vit."])
def test_the_in21k_checkpoint_has_a_pooler_and_no_head(prefix):
    model = hf_vit()
    state = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    state[prefix + "embeddings.mask_token"] = torch.zeros(1, 1, 24)
    config = replace(TINY, num_classes=0, norm_eps=1e-12)
    with pytest.warns(UserWarning, match="is dropped") as told:
        converted = convert(state, "hf", config=config)
    dropped = {str(warning.message).split()[1] for warning in told}
    assert dropped == {prefix + name for name in ("pooler.dense.weight", "pooler.dense.bias", "embeddings.mask_token")}
    mine = VisionTransformer(config).double().eval()
    mine.load_state_dict(converted)
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(mine.forward_features(images), model(images).last_hidden_state, atol=1e-10, rtol=0)


def test_a_head_is_dropped_where_there_are_no_classes():
    with pytest.warns(UserWarning, match=r"head\.\w+ is dropped: the config has no classes"):
        converted = convert(ours(), "timm", config=replace(TINY, num_classes=0))
    assert not [name for name in converted if name.startswith("head")]
    with pytest.raises(KeyError, match=r"missing: head\.weight, head\.bias"):
        convert(converted, "timm", config=TINY)


def test_from_one_library_to_another():
    state = convert(reference("torchvision", VisionTransformer(TINY)).state_dict(), "torchvision", "hf")
    hf_vit(transformers.ViTForImageClassification, num_labels=5).load_state_dict(state)
    older = {name.replace("mlp.0", "mlp.linear_1"): t for name, t in convert(state, "hf", "torchvision").items()}
    assert same(convert(older, "torchvision", "hf"), state)


def test_what_is_converted_can_be_saved(tmp_path):
    state = convert(ours(), "vitcourse", "hf")
    save_file(state, tmp_path / "weights.safetensors")  # refuses tensors that share memory
    assert same(read(tmp_path / "weights.safetensors"), state)


def test_bert_ties_its_output_layer_again(tmp_path):
    model = hf_bert()
    mine = randomise(BertForPreTraining(BertConfig(dim=24, num_heads=4, depth=2, vocab_size=40, max_length=12)), seed=5)
    model.load_state_dict(convert(mine.state_dict(), "vitcourse", "hf_bert"))
    assert torch.equal(model.cls.predictions.decoder.weight, mine.bert.embeddings.word.weight)
    model.save_pretrained(tmp_path)
    saved = read(tmp_path / "model.safetensors")
    assert "cls.predictions.decoder.weight" not in saved
    old = {name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): t for name, t in saved.items()}
    assert same(convert(saved, "hf_bert"), mine.state_dict())
    assert same(convert(old, "hf_bert"), mine.state_dict())
    untied = model.state_dict() | {"cls.predictions.decoder.weight": torch.zeros(40, 24, dtype=torch.float64)}
    with pytest.raises(ValueError, match=r"decoder\.weight must be tied to bert\.embeddings\.word"):
        convert(untied, "hf_bert")


def test_the_stacks_of_a_torch_transformer():
    theirs = torch_transformer()
    config = TransformerConfig(
        dim=24, num_heads=4, encoder_depth=2, decoder_depth=2, source_vocab=9, target_vocab=9, final_norm=True
    )
    mine = randomise(Transformer(config), seed=3).eval()
    state = convert(theirs.state_dict(), "torch", config=config)
    left = mine.load_state_dict(state, strict=False)
    assert left.unexpected_keys == []
    assert [name for name in left.missing_keys if name.startswith(("encoder.", "decoder."))] == []
    source, target = torch.randn(2, 7, 24, dtype=torch.float64), torch.randn(2, 5, 24, dtype=torch.float64)
    expected = theirs(source, target, tgt_mask=nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64))
    torch.testing.assert_close(mine.decoder(target, mine.encoder(source)), expected, atol=1e-10, rtol=0)


def test_a_torch_attention():
    theirs = nn.MultiheadAttention(24, 4, batch_first=True).double()
    mine = MultiHeadAttention(24, 4).double()
    mine.load_state_dict(convert(theirs.state_dict(), "torch"))
    x, context = torch.randn(2, 5, 24, dtype=torch.float64), torch.randn(2, 7, 24, dtype=torch.float64)
    torch.testing.assert_close(mine(x, context), theirs(x, context, context)[0], atol=1e-10, rtol=0)


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_the_positions_ids_of_bert_are_dropped(prefix):
    """A buffer of older versions: 0, 1, 2, … and no weights."""
    model = hf_bert(transformers.BertForPreTraining if prefix else transformers.BertModel)
    state = model.state_dict() | {prefix + "embeddings.position_ids": torch.arange(12)[None]}
    with pytest.warns(
        UserWarning, match=rf"{prefix}embeddings\.position_ids is dropped: our model has no place for it"
    ):
        converted = convert(state, "hf_bert")
    assert same(converted, convert(model.state_dict(), "hf_bert"))


def deep(prefix, **changes):
    return {prefix + name: tensor for name, tensor in ours(depth=12, **changes).items()}


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "module._orig_mod.", "backbone.", "a.b."])
@pytest.mark.parametrize("config", [None, replace(TINY, depth=12)])
def test_a_prefix_that_would_mend_the_names_is_named(prefix, config):
    with pytest.raises(KeyError) as caught:
        convert(deep(prefix), "timm", config=config)
    words = str(caught.value)
    assert f"without the prefix '{prefix}' the names are right: " in words
    assert words.count(prefix) == 6  # and five names
    assert "and 147 more" in words
    assert len(words) < 400


def test_of_two_models_both_prefixes_are_named():
    state = deep("student.", num_classes=0) | deep("teacher.", num_classes=0) | {"head.last.weight": torch.ones(1)}
    with pytest.raises(KeyError, match=r"without the prefix 'student\.' or 'teacher\.' the names are right"):
        convert(state, "timm")
    bert = {f"model.{name}": tensor for name, tensor in hf_bert().state_dict().items()}
    with pytest.raises(KeyError, match=r"hf_bert: without the prefix 'model\.' the names are right"):
        convert(bert, "hf_bert")


def test_where_no_prefix_would_mend_five_names_are_told():
    state = {f"module.{i}.{name}": tensor for i, (name, tensor) in enumerate(ours(depth=12).items())}
    with pytest.raises(KeyError) as caught:
        convert(state, "timm")
    assert "prefix" not in str(caught.value)
    assert "module.2.patch_embed.proj.weight and 149 more; missing: cls_token, pos_embed and" in str(caught.value)
    with pytest.raises(KeyError, match=r"missing: cls_token, pos_embed, [\w., ]+ and 1 more'$"):
        convert({}, "timm")


SCALED, THREE = {"block": "layer_scale_init"}, {"block": "parallel", "num_parallel": 3}
BAD = {
    "library": (lambda: convert({}, "keras"), ValueError, "vitcourse, timm, deit, hf, .*got 'keras'"),
    "two models": (lambda: convert({}, "hf", "hf_bert"), ValueError, "'hf' and 'hf_bert' name different models"),
    "nothing": (lambda: convert({}, "timm"), KeyError, r"missing: cls_token, pos_embed, patch_embed\.proj\.weight"),
    "scales": (lambda: convert(ours(**SCALED), "timm", "hf"), KeyError, r"no name for: blocks\.0\.ls1\.gamma"),
    "branches": (lambda: convert(ours(**THREE), "timm", "deit"), KeyError, r"blocks\.0\.attns\.2\.norm\.weight"),
    "shape": (
        lambda: convert(ours(), "timm", config=replace(TINY, patch_size=16)),
        ValueError,
        r"pos_embed: shape \(1, 17, 24\), the config asks for \(1, 5, 24\)",
    ),
    "depth": (lambda: convert(ours(), "timm", config=replace(TINY, depth=1)), KeyError, r"unknown: blocks\.1\.norm1"),
    "bias": (lambda: convert(ours(), "timm", config=replace(TINY, qkv_bias=False)), KeyError, r"1\.attn\.qkv\.bias"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case):
    call, error, words = BAD[case]
    with pytest.raises(error, match=words):
        call()


def test_a_checkpoint_beside_an_optimiser_is_read(tmp_path):
    state = {"weight": torch.ones(2)}
    torch.save({"model": state, "optimizer": {"lr": 0.1}, "epoch": 3}, tmp_path / "checkpoint.pth")
    assert same(read(tmp_path / "checkpoint.pth"), state)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "code.pth", "list.pth", "missing.pth"])
def test_a_file_that_is_no_weights_is_named(tmp_path, name):
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"weight": warnings.warn}, tmp_path / "code.pth")  # a pickle that would call
    for damaged in ("weights.safetensors", "weights.pth"):
        (tmp_path / damaged).write_bytes(b"no weights at all")
    with pytest.raises(CheckpointError, match=name) as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)
