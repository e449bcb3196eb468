from dataclasses import replace

import pytest
import torch
import transformers
from torch import nn

from tests.helpers import randomise
from vitcourse.bert import IGNORED, Bert, BertConfig, BertForPreTraining

TINY = BertConfig(
    dim=24, num_heads=4, depth=2, mlp_ratio=2.5, vocab_size=37, max_length=16, dropout=0.0, attn_dropout=0.0
)
EMBEDDINGS = {"word": "word_embeddings", "position": "position_embeddings", "segment": "token_type_embeddings"}
LAYER = {
    "attn.proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
    "norm2": "output.LayerNorm",
}
REST = {
    "bert.embeddings.norm": "bert.embeddings.LayerNorm",
    "bert.pooler": "bert.pooler.dense",
    "mlm.transform": "cls.predictions.transform.dense",
    "mlm.norm": "cls.predictions.transform.LayerNorm",
    "mlm": "cls.predictions",  # its bias
    "nsp": "cls.seq_relationship",
}


def hf_names(key):
    """The names in Hugging Face's model that hold, one above the other, the tensor ``key`` of ours."""
    module, kind = key.rsplit(".", 1)
    if module in REST:
        return [f"{REST[module]}.{kind}"]
    parts = module.split(".")
    if parts[1] == "embeddings":
        return [f"bert.embeddings.{EMBEDDINGS[parts[2]]}.{kind}"]
    layer, name = f"bert.encoder.layer.{parts[3]}", ".".join(parts[4:])
    if name == "attn.qkv":
        return [f"{layer}.attention.self.{part}.{kind}" for part in ("query", "key", "value")]
    return [f"{layer}.{LAYER[name]}.{kind}"]


def hf_twin(model):
    """Hugging Face's `BertForPreTraining` with the weights of ours, all of its parameters filled."""
    c = model.config
    twin = transformers.BertForPreTraining(
        transformers.BertConfig(
            vocab_size=c.vocab_size, hidden_size=c.dim, num_hidden_layers=c.depth, num_attention_heads=c.num_heads,
            intermediate_size=round(c.dim * c.mlp_ratio), hidden_dropout_prob=c.dropout,
            attention_probs_dropout_prob=c.attn_dropout, max_position_embeddings=c.max_length,
            type_vocab_size=c.num_segments, attn_implementation="sdpa",
        )
    )  # fmt: skip
    twin = twin.to(model.mlm.bias.dtype).train(model.training)
    theirs = dict(twin.named_parameters())
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            names = hf_names(key)
            for name, part in zip(names, parameter.chunk(len(names)), strict=True):
                theirs.pop(name).copy_(part)
    assert not theirs
    return twin


def inputs():
    """Three rows of 12, 9 and 4 tokens; what stands in the padding must not matter, so it is not the pad token."""
    lengths = torch.tensor([[12], [9], [4]])
    place = torch.arange(12)
    mask = place < lengths
    tokens = torch.randint(0, 37, (3, 12))
    labels = torch.where(mask & (torch.rand(3, 12) < 0.4), torch.randint(0, 37, (3, 12)), IGNORED)
    assert (labels != IGNORED).sum() > 5
    return {
        "tokens": tokens,
        "segments": ((place > lengths // 2) & mask).long(),
        "mask": mask,
        "labels": labels,
        "next_sentence": torch.tensor([0, 1, 1]),
    }


def hf_outputs(twin, batch):
    return twin(
        input_ids=batch["tokens"], token_type_ids=batch["segments"], attention_mask=batch["mask"].long(),
        labels=batch["labels"], next_sentence_label=batch["next_sentence"],
    )  # fmt: skip


def relative(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()


def gradients(ours, theirs, model, twin):
    """Pairs of gradients of the two losses, one for each parameter of ours."""
    own = dict(zip(dict(model.named_parameters()), torch.autograd.grad(ours, list(model.parameters())), strict=True))
    names = dict(twin.named_parameters())
    other = dict(zip(names, torch.autograd.grad(theirs, list(names.values())), strict=True))
    return {key: (gradient, torch.cat([other[name] for name in hf_names(key)])) for key, gradient in own.items()}


def test_model_equals_hugging_face_values_losses_and_gradients():
    model = randomise(BertForPreTraining(TINY))
    twin, batch = hf_twin(model), inputs()
    ours, theirs = model(**batch), hf_outputs(twin, batch)
    torch.testing.assert_close(ours.mlm_logits, theirs.prediction_logits, atol=1e-10, rtol=0)
    torch.testing.assert_close(ours.nsp_logits, theirs.seq_relationship_logits, atol=1e-10, rtol=0)
    torch.testing.assert_close(ours.loss, theirs.loss, atol=1e-10, rtol=0)
    cross_entropy = nn.CrossEntropyLoss()
    expected = cross_entropy(theirs.prediction_logits.view(-1, 37), batch["labels"].view(-1))
    torch.testing.assert_close(ours.mlm_loss, expected, atol=1e-10, rtol=0)
    expected = cross_entropy(theirs.seq_relationship_logits, batch["next_sentence"])
    torch.testing.assert_close(ours.nsp_loss, expected, atol=1e-10, rtol=0)
    for key, (own, other) in gradients(ours.loss, theirs.loss, model, twin).items():
        torch.testing.assert_close(own, other, atol=1e-10, rtol=1e-10, msg=lambda text, key=key: f"{key}: {text}")
        assert own.abs().max() > 0


def test_model_equals_hugging_face_in_float32():
    model = randomise(BertForPreTraining(TINY)).float()
    twin, batch = hf_twin(model), inputs()
    ours, theirs = model(**batch), hf_outputs(twin, batch)
    assert relative(ours.mlm_logits, theirs.prediction_logits) < 1e-5
    assert relative(ours.loss, theirs.loss) < 1e-5
    for key, (own, other) in gradients(ours.loss, theirs.loss, model, twin).items():
        # A bias of the keys moves all scores of a query alike: a third of that gradient is 0, and noise in float32.
        assert relative(own, other) < 1e-5, key


def test_encoder_and_pooler_equal_bert_model():
    model = randomise(BertForPreTraining(TINY))
    twin, batch = hf_twin(model).bert, inputs()
    x, pooled = model.bert(batch["tokens"], mask=batch["mask"])
    theirs = twin(batch["tokens"], attention_mask=batch["mask"].long())
    torch.testing.assert_close(x, theirs.last_hidden_state, atol=1e-10, rtol=0)
    torch.testing.assert_close(pooled, theirs.pooler_output, atol=1e-10, rtol=0)


def test_dropout_falls_where_hugging_face_lets_it_fall():
    """The same seed, both kinds of dropout, equal outputs: each is drawn in the same order over the same shape."""
    model = randomise(BertForPreTraining(replace(TINY, dropout=0.3, attn_dropout=0.2)))
    twin, batch = hf_twin(model), inputs()
    torch.manual_seed(5)
    ours = model(**batch)
    torch.manual_seed(5)
    theirs = hf_outputs(twin, batch)
    torch.testing.assert_close(ours.mlm_logits, theirs.prediction_logits, atol=1e-10, rtol=0)
    torch.testing.assert_close(ours.loss, theirs.loss, atol=1e-10, rtol=0)
    assert (ours.loss - model.eval()(**batch).loss).abs() > 0.01


def test_parameter_counts_of_bert_base():
    with torch.device("meta"):
        encoder, model = Bert(BertConfig()), BertForPreTraining(BertConfig())
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 109_482_240
    assert sum(parameter.numel() for parameter in model.parameters()) == 110_106_428


def test_every_eps_is_1e_12():
    model = BertForPreTraining(BertConfig(dim=24, num_heads=4, depth=2, vocab_size=37))
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 1 + 2 * 2 + 1
    assert {norm.eps for norm in norms} == {1e-12}


def test_the_start_is_berts():
    model = BertForPreTraining(BertConfig(dim=96, depth=2, vocab_size=500))
    for name, parameter in model.named_parameters():
        if "norm" in name:
            assert (parameter == float(name.endswith("weight"))).all(), name
        elif name.endswith("bias"):
            assert (parameter == 0).all(), name
        elif parameter.numel() > 5_000:
            assert 0.019 < parameter.std() < 0.021, name
    assert (model.bert.embeddings.word.weight[0] == 0).all()
    assert (model.bert.embeddings.word.weight[1:].std(dim=1) > 0.01).all()


def test_no_masked_place_is_loss_zero_with_zero_gradients():
    model, batch = randomise(BertForPreTraining(TINY)), inputs()
    batch["labels"] = torch.full((3, 12), IGNORED)
    output = model(**batch)
    assert output.mlm_loss.item() == 0
    torch.testing.assert_close(output.loss, output.nsp_loss, atol=0, rtol=0)
    for gradient in torch.autograd.grad(output.mlm_loss, list(model.mlm.parameters()), retain_graph=True):
        assert (gradient == 0).all()
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert model.nsp.weight.grad.abs().max() > 0


def test_losses_come_with_their_labels():
    model, batch = BertForPreTraining(TINY), inputs()
    labels, next_sentence = batch.pop("labels"), batch.pop("next_sentence")
    none = model(**batch)
    assert none.loss is none.mlm_loss is none.nsp_loss is None
    one = model(**batch, labels=labels)
    assert one.nsp_loss is None
    assert torch.equal(one.loss, one.mlm_loss)
    other = model(**batch, next_sentence=next_sentence)
    assert other.mlm_loss is None
    assert torch.equal(other.loss, other.nsp_loss)


def test_the_decoder_is_the_word_embedding():
    model, batch = randomise(BertForPreTraining(TINY)), inputs()
    assert not [key for key in model.state_dict() if "decoder" in key]
    before = model(**batch).mlm_logits
    other = (batch["tokens"] != 36).all(dim=1)
    assert other.any()
    with torch.no_grad():
        model.bert.embeddings.word.weight[36] += 1.0
    after = model(**batch).mlm_logits
    change = (after - before)[other].abs().amax(dim=(0, 1))
    assert change[36] > 1e-3
    assert change[:36].max() == 0


def test_segments_default_to_a_and_masks_to_none():
    model, batch = randomise(BertForPreTraining(TINY)), inputs()
    bare = model(batch["tokens"])
    full = model(batch["tokens"], torch.zeros_like(batch["tokens"]), torch.ones_like(batch["mask"]))
    torch.testing.assert_close(bare.mlm_logits, full.mlm_logits, atol=1e-12, rtol=0)
    segmented = model(batch["tokens"], batch["segments"]).mlm_logits
    assert (segmented - bare.mlm_logits).abs().max() > 0.1
    assert (model(batch["tokens"], mask=batch["mask"]).mlm_logits - bare.mlm_logits)[0].abs().max() < 1e-12
    assert (model(batch["tokens"], mask=batch["mask"]).mlm_logits - bare.mlm_logits)[2, :4].abs().max() > 0.1


def test_both_forms_of_the_mask_are_one():
    model, batch = randomise(BertForPreTraining(TINY)), inputs()
    expected = model(**batch)
    batch["mask"] = batch["mask"][:, None, None]
    assert torch.equal(model(**batch).mlm_logits, expected.mlm_logits)


@pytest.mark.parametrize("is_causal", [False, True])
def test_who_sees_a_changed_token(is_causal):
    """Read both ways, all places do; with the causal option, those from it on."""
    model = randomise(BertForPreTraining(replace(TINY, is_causal=is_causal)))
    tokens = torch.randint(1, 37, (2, 10))
    changed = tokens.clone()
    changed[:, 6] = changed[:, 6] % 36 + 1
    seen = (model(tokens).mlm_logits - model(changed).mlm_logits).abs().amax(dim=(0, 2)) > 1e-9
    assert seen.tolist() == [not is_causal] * 6 + [True] * 4


def test_causal_and_padding_together():
    model, batch = randomise(BertForPreTraining(replace(TINY, is_causal=True))), inputs()
    shorter = {key: batch[key][1:2, :9] for key in ("tokens", "segments", "mask")}
    expected = model(**shorter).mlm_logits[0]
    actual = model(batch["tokens"], batch["segments"], batch["mask"]).mlm_logits[1, :9]
    torch.testing.assert_close(actual, expected, atol=1e-10, rtol=0)


@pytest.mark.starts_programs
def test_under_compile():
    model, batch = randomise(BertForPreTraining(replace(TINY, depth=1))), inputs()
    compiled = torch.compile(model, fullgraph=True)
    expected, actual = model(**batch), compiled(**batch)
    torch.testing.assert_close(actual.mlm_logits, expected.mlm_logits, atol=1e-10, rtol=0)
    parameters = list(model.parameters())
    expected, actual = torch.autograd.grad(expected.loss, parameters), torch.autograd.grad(actual.loss, parameters)
    torch.testing.assert_close(actual, expected, atol=1e-10, rtol=0)


def test_under_bf16_autocast(device):
    torch.manual_seed(0)
    batch = {key: value.to(device) for key, value in inputs().items()}
    model = BertForPreTraining(TINY).to(device)
    expected = model(**batch)
    with torch.autocast(device.type, torch.bfloat16):
        output = model(**batch)
    output.loss.backward()
    assert output.mlm_logits.dtype == torch.bfloat16
    assert output.loss.dtype == torch.float32
    assert relative(output.mlm_logits.float(), expected.mlm_logits) < 0.03
    assert relative(output.loss, expected.loss) < 0.01
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_under_export():
    model, batch = randomise(BertForPreTraining(TINY)).eval(), inputs()
    rows, length = torch.export.Dim("rows"), torch.export.Dim("length", min=2, max=16)
    shapes = {key: {0: rows, 1: length} for key in batch} | {"next_sentence": {0: rows}}
    program = torch.export.export(model, (), batch, dynamic_shapes=shapes)
    other = {key: value[:2, :9] if value.ndim == 2 else value[:2] for key, value in batch.items()}
    expected, actual = model(**other), program.module()(**other)
    torch.testing.assert_close(actual.mlm_logits, expected.mlm_logits, atol=1e-10, rtol=0)
    torch.testing.assert_close(actual.loss, expected.loss, atol=1e-10, rtol=0)


@pytest.mark.gpu
def test_on_a_gpu(device):
    model, batch = randomise(BertForPreTraining(TINY)), inputs()
    expected = model(**batch)
    output = model.to(device)(**{key: value.to(device) for key, value in batch.items()})
    torch.testing.assert_close(output.mlm_logits.cpu(), expected.mlm_logits, atol=1e-10, rtol=0)
    torch.testing.assert_close(output.loss.cpu(), expected.loss, atol=1e-10, rtol=0)


TOKENS = torch.ones(2, 5, dtype=torch.long)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((torch.ones(2, 17, dtype=torch.long),), "16 positions, got 17 tokens"),
        ((37 * TOKENS,), "token ids must be in 0 to 36, got 37"),
        ((-TOKENS,), "token ids must be in 0 to 36, got -1"),
        ((TOKENS[0],), r"two axes .* got shape \(5,\)"),
        ((TOKENS, 2 * TOKENS), "segment ids must be in 0 to 1, got 2"),
        ((TOKENS, TOKENS[:, :4]), r"shape \(2, 5\), got \(2, 4\)"),
        ((TOKENS, None, torch.ones(2, 4, dtype=torch.bool)), r"\(2, 5\) or \(B, 1, 1, N\), got \(2, 4\)"),
        ((TOKENS, None, torch.ones(5, 5, dtype=torch.bool)), r"\(2, 5\) or \(B, 1, 1, N\), got \(5, 5\)"),
        ((TOKENS, None, TOKENS), "mask must be of type torch.bool .*, got torch.int64"),
        ((TOKENS, None, TOKENS.float()), "mask must be of type torch.bool .*, got torch.float32"),
    ],
)
def test_bad_input_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        BertForPreTraining(TINY)(*arguments)


def test_a_bad_config_is_named():
    with pytest.raises(ValueError, match="one of relu, gelu, got 'tanh'"):
        BertConfig(activation="tanh")
    with pytest.raises(TypeError, match="hidden_size"):
        BertConfig(hidden_size=768)
