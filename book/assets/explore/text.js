// The course's two text models in plain numbers: a Transformer that writes numbers, a BERT that fills gaps; WordPiece,
// and positions. Tokens are rows.
"use strict";

const Text = (() => {
  const { linear, norm, gelu, attend, softmax, sum } = Vit;

  /** What is recorded of a model, its words and the moments of its training; `at(place)` is the model at one of them. */
  async function recorded(name) {
    const facts = await Explore.want(name);
    return { ...facts, at: (place) => Explore.want(`${name}-${place}`).then(Vit.load) };
  }

  /** Rows of sines and cosines, as vitcourse.positions.sinusoidal. */
  function sinusoidal(length, dim) {
    const table = new Float32Array(length * dim);
    for (let place = 0; place < length; place++)
      for (let i = 0; i < dim; i += 2) {
        const angle = place * 10000 ** (-i / dim);
        table[place * dim + i] = Math.sin(angle);
        table[place * dim + i + 1] = Math.cos(angle);
      }
    return table;
  }

  const rows = (table, ids, width) => {
    const made = new Float32Array(ids.length * width);
    ids.forEach((id, row) => made.set(table.subarray(id * width, (id + 1) * width), row * width));
    return made;
  };

  /** The layers of a stack: of each its MLP, its norms, and `part(name)`, its weight of that name. */
  function layers(weights, stack, eps, act) {
    const made = [];
    for (let k = 0; weights[`${stack}.${k}.norm1.bias`]; k++) {
      const part = (key) => weights[`${stack}.${k}.${key}`];
      const map = (x, key, ins) => linear(x, ins, part(`${key}.weight`), part(`${key}.bias`));
      const width = part("norm1.bias").length, hidden = part("mlp.fc1.bias").length;
      made.push({ part, normed: (x, key) => norm(x, part(`${key}.weight`), part(`${key}.bias`), eps),
        mlp: (x) => map(map(x, "mlp.fc1", width).map(act), "mlp.fc2", hidden) });
    }
    return made;
  }

  /** Tokens that the Transformer writes for a source, as vitcourse.transformer.greedy_decode: of each its id, the shares
   * of all words, and how much of each source token is read (by the last layer, in the mean over its heads). */
  function write(weights, heads, source, { pad, start, end, most }) {
    const table = weights["source_embed.weight"], width = weights["encoder.norm.bias"].length;
    const embed = (ids) => sum(rows(table, ids, width).map((value) => value * Math.sqrt(width)),
      sinusoidal(ids.length, width));
    const stack = (name) => layers(weights, `${name}.layers`, 1e-5, (value) => Math.max(0, value));
    const finish = (x, name) => norm(x, weights[`${name}.norm.weight`], weights[`${name}.norm.bias`], 1e-5);
    let memory = embed(source);
    for (const { part, normed, mlp } of stack("encoder")) {
      memory = sum(memory, attend(normed(memory, "norm1"), heads, (key) => part(`attn.${key}`))[0]);
      memory = sum(memory, mlp(normed(memory, "norm2")));
    }
    memory = finish(memory, "encoder");
    const written = [], ids = [start];
    while (written.length < most && ids.at(-1) !== end) {
      let x = embed(ids), maps = [];
      for (const { part, normed, mlp } of stack("decoder")) {
        x = sum(x, attend(normed(x, "norm1"), heads, (key) => part(`self_attn.${key}`), undefined, true)[0]);
        const [found, seen] = attend(normed(x, "norm2"), heads, (key) => part(`cross_attn.${key}`), memory);
        [x, maps] = [sum(x, found), seen];
        x = sum(x, mlp(normed(x, "norm3")));
      }
      const last = finish(x, "decoder").subarray(x.length - width);
      const logits = linear(last, width, table, new Float32Array(table.length / width));
      const reads = source.map((_, j) => maps.reduce((mean, map) => mean + map[map.length - source.length + j] / heads, 0));
      const id = logits.reduce((best, score, k) => (k !== pad && (best < 0 || score > logits[best]) ? k : best), -1);
      written.push({ id, shares: softmax(logits), reads });
      ids.push(id);
    }
    return written;
  }

  /** The shares of all words at a place, for a sentence of ids, as vitcourse.bert.BertForPreTraining. */
  function fill(weights, heads, ids, place) {
    const at = (name) => weights[`bert.embeddings.${name}`];
    const width = at("norm.bias").length, words = at("word.weight");
    const both = (x, name) => norm(x, weights[`${name}.weight`], weights[`${name}.bias`], 1e-12);
    let x = sum(rows(words, ids, width), at("position.weight").subarray(0, ids.length * width));
    x = both(sum(x, rows(at("segment.weight"), ids.map(() => 0), width)), "bert.embeddings.norm");
    for (const { part, normed, mlp } of layers(weights, "bert.encoder.layers", 1e-12, gelu)) {
      x = normed(sum(x, attend(x, heads, (key) => part(`attn.${key}`))[0]), "norm1");
      x = normed(sum(x, mlp(x)), "norm2");
    }
    const asked = x.subarray(place * width, (place + 1) * width);
    const guess = linear(asked, width, weights["mlm.transform.weight"], weights["mlm.transform.bias"]).map(gelu);
    return softmax(linear(both(guess, "mlm.norm"), width, words, weights["mlm.bias"]));
  }

  /** A sentence as pieces: small letters without accents, cut at spaces and punctuation, then longest match first. */
  function pieces(sentence, vocabulary) {
    const known = new Set(vocabulary), unknown = ["[UNK]"];
    const plain = sentence.replace(/[\p{Cc}\p{Cf}\ufffd]/gu, (sign) => (/\s/.test(sign) ? " " : ""))
      .replace(/[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2fa1f}]/gu, " $& ")
      .normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
    return plain.replace(/[\p{P}$+<=>^`|~]/gu, " $& ").split(/\s+/u).filter(Boolean).flatMap((word) => {
      const letters = [...word], found = [];
      for (let from = 0, to; from < letters.length; from = to) {
        const piece = () => (from ? "##" : "") + letters.slice(from, to).join("");
        for (to = letters.length; to > from && !known.has(piece()); to--);
        if (to === from) return unknown;
        found.push(piece());
      }
      return letters.length > 100 ? unknown : found;
    });
  }

  return { recorded, sinusoidal, write, fill, pieces };
})();
