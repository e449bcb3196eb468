// The course's sign model in plain numbers: the forward pass of vitcourse.vit with its heads. Tokens are rows.
"use strict";

const Vit = (() => {
  /** The number that 16 bits stand for. */
  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023;
    return power ? sign * 2 ** (power - 15) * (1 + rest / 1024) : sign * 2 ** -24 * rest;
  }

  /** Weights as vitcourse.weights.script has written them. */
  function load(given) {
    const { buffer } = Explore.bytes(given.bytes), weights = {};
    for (const [name, shape, offset, kind] of given.tensors) {
      const count = shape.reduce((a, b) => a * b, 1), values = (weights[name] = new Float32Array(count));
      const rows = kind === "rows" ? shape[0] : count, halves = new Uint16Array(buffer, offset, rows);
      if (kind === "half") values.set(Array.from(halves, half));
      else {
        const numbers = new Int8Array(buffer, offset + 2 * rows, count), columns = count / rows;
        for (let row = 0, at = 0; row < rows; row++) {
          const scale = half(halves[row]);
          for (const end = at + columns; at < end; at++) values[at] = scale * numbers[at];
        }
      }
    }
    return { ...given, bytes: null, weights };
  }

  /** y (rows, outs) = x (rows, ins) wᵀ + b. Four rows meet four outputs at once: each number read is used four times. */
  function linear(x, ins, w, b) {
    const rows = x.length / ins, outs = b.length, y = new Float32Array(rows * outs);
    for (let row = 0; row < rows; row += 4) {
      const x0 = row * ins, last = (rows - 1) * ins; // a row past the end is computed again, and not kept
      const x1 = Math.min(x0 + ins, last), x2 = Math.min(x1 + ins, last), x3 = Math.min(x2 + ins, last);
      for (let out = 0; out < outs; out += 4) {
        const w0 = out * ins, end = (outs - 1) * ins;
        const w1 = Math.min(w0 + ins, end), w2 = Math.min(w1 + ins, end), w3 = Math.min(w2 + ins, end);
        let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
        let c0 = 0, c1 = 0, c2 = 0, c3 = 0, d0 = 0, d1 = 0, d2 = 0, d3 = 0;
        for (let i = 0; i < ins; i++) {
          const p = x[x0 + i], q = x[x1 + i], r = x[x2 + i], s = x[x3 + i];
          const k = w[w0 + i], l = w[w1 + i], m = w[w2 + i], n = w[w3 + i];
          a0 += p * k; a1 += p * l; a2 += p * m; a3 += p * n;
          b0 += q * k; b1 += q * l; b2 += q * m; b3 += q * n;
          c0 += r * k; c1 += r * l; c2 += r * m; c3 += r * n;
          d0 += s * k; d1 += s * l; d2 += s * m; d3 += s * n;
        }
        const tile = [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3], [d0, d1, d2, d3]];
        for (let i = 0; i < 4 && row + i < rows; i++)
          for (let j = 0; j < 4 && out + j < outs; j++) y[(row + i) * outs + out + j] = tile[i][j] + b[out + j];
      }
    }
    return y;
  }

  /** A convolution of a picture (size, size, channels), padded so that a stride of 1 keeps the size. */
  function convolve(x, size, { side, stride, relu }, w, b) {
    if (side === 1) return linear(x, w.length / b.length, w, b);
    const channels = x.length / size ** 2, out = size / stride, width = side * side * channels;
    const windows = new Float32Array(out * out * width), before = (side - 1) / 2;
    for (let row = 0; row < out; row++)
      for (let column = 0; column < out; column++)
        for (let part = 0; part < side * side; part++) {
          const top = row * stride + Math.floor(part / side) - before, left = column * stride + (part % side) - before;
          if (top < 0 || left < 0 || top >= size || left >= size) continue;
          const from = (top * size + left) * channels;
          windows.set(x.subarray(from, from + channels), (row * out + column) * width + part * channels);
        }
    const y = linear(windows, width, w, b);
    return relu ? y.map((value) => Math.max(0, value)) : y;
  }

  function norm(x, scale, shift, eps) {
    const width = scale.length, y = new Float32Array(x.length);
    for (let row = 0; row < x.length; row += width) {
      let mean = 0, variance = 0;
      for (let i = 0; i < width; i++) mean += x[row + i] / width;
      for (let i = 0; i < width; i++) variance += (x[row + i] - mean) ** 2 / width;
      const factor = 1 / Math.sqrt(variance + eps);
      for (let i = 0; i < width; i++) y[row + i] = (x[row + i] - mean) * factor * scale[i] + shift[i];
    }
    return y;
  }

  /** x Φ(x), with Abramowitz and Stegun's formula 7.1.26 for the error function. */
  function gelu(x) {
    const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + 0.3275911 * z);
    const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    const tail = series * Math.exp(-z * z) / 2; // what lies beyond |x|
    return x * (x < 0 ? tail : 1 - tail);
  }

  function softmax(scores) {
    const largest = Math.max(...scores), powers = Array.from(scores, (score) => Math.exp(score - largest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  /** Attention of tokens to others, or to themselves (in `causal` to none that comes later): what it gives, and the
   * weights of each head, as rows of the tokens that ask. */
  function attend(x, heads, weight, others = x, causal = false) {
    const width = weight("proj.bias").length, count = x.length / width, most = others.length / width, each = width / heads;
    const matrix = weight("qkv.weight"), bias = weight("qkv.bias"), cut = width * width;
    const queries = linear(x, width, matrix.subarray(0, cut), bias.subarray(0, width));
    const pairs = linear(others, width, matrix.subarray(cut), bias.subarray(width)); // of each token its key, its value
    const mixed = new Float32Array(x.length), maps = [];
    for (let head = 0; head < heads; head++) {
      const map = new Float32Array(count * most);
      for (let i = 0; i < count; i++) {
        const query = i * width + head * each, scores = new Float32Array(causal ? i + 1 : most);
        for (let j = 0; j < scores.length; j++) {
          const key = j * 2 * width + head * each;
          let dot = 0;
          for (let d = 0; d < each; d++) dot += queries[query + d] * pairs[key + d];
          scores[j] = dot / Math.sqrt(each);
        }
        softmax(scores).forEach((share, j) => {
          map[i * most + j] = share;
          const value = j * 2 * width + width + head * each;
          for (let d = 0; d < each; d++) mixed[i * width + head * each + d] += share * pairs[value + d];
        });
      }
      maps.push(map);
    }
    return [linear(mixed, width, weight("proj.weight"), weight("proj.bias")), maps];
  }

  const sum = (x, y) => x.map((value, i) => value + y[i]);

  /** All that the model says of a picture: red, green and blue of size × size pixels, 0 to 255. */
  function run(model, pixels) {
    const w = model.weights, { size, heads, depth, side, cells, classes } = model;
    let x = Float32Array.from(pixels, (value) => value / 127.5 - 1), edge = size;
    for (const layer of model.stem) {
      x = convolve(x, edge, layer, w[`${layer.name}.weight`], w[`${layer.name}.bias`]);
      edge /= layer.stride;
    }
    const width = w.cls_token.length, count = side * side + 1;
    let tokens = new Float32Array(count * width);
    tokens.set(w.cls_token);
    tokens.set(x, width);
    tokens = sum(tokens, w.pos_embed);
    const maps = []; // of each layer, each head
    for (let layer = 0; layer < depth; layer++) {
      const weight = (name) => w[`blocks.${layer}.${name}`];
      const normed = norm(tokens, weight("norm1.weight"), weight("norm1.bias"), 1e-6);
      const [read, seen] = attend(normed, heads, (name) => weight(`attn.${name}`));
      tokens = sum(tokens, read);
      maps.push(seen);
      const again = norm(tokens, weight("norm2.weight"), weight("norm2.bias"), 1e-6);
      const hidden = linear(again, width, weight("mlp.fc1.weight"), weight("mlp.fc1.bias")).map(gelu);
      tokens = sum(tokens, linear(hidden, 4 * width, weight("mlp.fc2.weight"), weight("mlp.fc2.bias")));
    }
    const patches = tokens.subarray(width), mean = new Float32Array(width);
    patches.forEach((value, i) => { mean[i % width] += value / (count - 1); });
    const pooled = norm(mean, w["fc_norm.weight"], w["fc_norm.bias"], 1e-6);
    const head = (name) => linear(pooled, width, w[`${name}.weight`], w[`${name}.bias`]);
    const logits = head("letter"), said = linear(norm(patches, w["parts.0.weight"], w["parts.0.bias"], 1e-5), width,
      w["parts.1.weight"], w["parts.1.bias"]);
    return { logits, shares: softmax(logits), box: head("box").map((edge) => Explore.clamp(edge, 0, 1)), maps,
      reads: rollout(maps, count), parts: likeliest(said, side, cells, classes) };
  }

  /** How much of each patch is in the mean of the patches, if layers only mixed tokens (vitcourse.explain.rollout). */
  function rollout(maps, count) {
    // From the end: the shares of the last layer's tokens in the mean, then of those before it, and so on.
    let shares = new Float32Array(count).fill(1 / (count - 1));
    shares[0] = 0;
    for (const heads of [...maps].reverse()) {
      const before = shares.map((share) => share / 2);
      for (const map of heads)
        for (let i = 0; i < count; i++)
          for (let j = 0; j < count; j++) before[j] += shares[i] * map[i * count + j] / (2 * heads.length);
      shares = before;
    }
    const patches = Array.from(shares.subarray(1)), whole = patches.reduce((a, b) => a + b);
    return patches.map((share) => share / whole);
  }

  /** The likeliest part of the hand in each cell, row by row over the picture: cells × cells of them in a patch. */
  function likeliest(said, side, cells, classes) {
    const across = side * cells, parts = new Uint8Array(across * across);
    for (let row = 0; row < across; row++)
      for (let column = 0; column < across; column++) {
        const patch = Math.floor(row / cells) * side + Math.floor(column / cells);
        const from = (patch * cells * cells + (row % cells) * cells + (column % cells)) * classes;
        let best = 0;
        for (let k = 1; k < classes; k++) if (said[from + k] > said[from + best]) best = k;
        parts[row * across + column] = best;
      }
    return parts;
  }

  /** Another size of a picture (height, width, 4), as torchvision makes a smaller one: a triangle over what it covers. */
  function resize({ data, width, height }, size) {
    return lean(lean(data, width, height, 4, size), height, size, 3, size);
  }

  /** Shrinks the first of two axes and turns them: (rows, length, channels) to (size, rows, 3). */
  function lean(data, length, rows, channels, size) {
    const made = new Uint8Array(size * rows * 3), scale = length / size, reach = Math.max(1, scale);
    for (let to = 0; to < size; to++) {
      const middle = (to + 0.5) * scale;
      const from = Math.max(0, Math.floor(middle - reach + 0.5));
      const end = Math.min(length, Math.floor(middle + reach + 0.5));
      const shares = Array.from({ length: end - from }, (_, k) =>
        Math.max(0, 1 - Math.abs(from + k + 0.5 - middle) / reach));
      const whole = shares.reduce((a, b) => a + b);
      for (let row = 0; row < rows; row++)
        for (let channel = 0; channel < 3; channel++) {
          let value = 0;
          shares.forEach((share, k) => { value += share * data[(row * length + from + k) * channels + channel]; });
          made[(to * rows + row) * 3 + channel] = Math.round(value / whole);
        }
    }
    return made;
  }

  return { load, run, resize, softmax, linear, norm, gelu, attend, sum };
})();
