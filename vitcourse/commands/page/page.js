// Sends a picture to the model, and shows what it answers.

const part = (id) => document.getElementById(id);
const TOP = 5;
let limits = { bytes: Infinity };
let asked = 0; // the number of the latest question: an answer to an older one is not shown

const percent = (share) => `${Math.round(100 * share)}%`;

function tell(line, wrong = false) {
  part("note").textContent = line;
  part("note").classList.toggle("wrong", wrong);
}

async function introduce() {
  const about = await (await fetch("about")).json();
  limits = about.limits;
  const reached = about.metrics.valid_accuracy ?? about.metrics.held_out_accuracy; // "accuracy" is that of the training
  const measured = reached === undefined ? "" : ` It named ${percent(reached)} of its validation images correctly.`;
  const { epochs_reached: epoch, epochs_wanted: epochs } = about.metrics;
  const brokenOff = epochs === undefined ? "" : ` Its training was broken off after epoch ${epoch} of ${epochs}.`;
  part("about").textContent =
    `A model of ${about.kind} with ${about.labels.length} labels, which reads images of ` +
    `${about.preprocessing.size} × ${about.preprocessing.size} pixels.${brokenOff}${measured}`;
}

function show(answer, blob, name) {
  const old = part("picture").src;
  part("picture").src = URL.createObjectURL(blob);
  if (old) URL.revokeObjectURL(old);
  part("picture").alt = name;
  part("name").textContent = name;
  part("figure").hidden = false;
  part("empty").hidden = true;
  part("box").hidden = !answer.box;
  if (answer.box) {
    const [left, top, right, bottom] = answer.box.map((share) => 100 * share);
    Object.assign(part("box").style, {
      left: `${left}%`, top: `${top}%`, width: `${Math.max(0, right - left)}%`, height: `${Math.max(0, bottom - top)}%`,
    });
  }
  part("unknown").hidden = !answer.unknown;
  part("answers").replaceChildren(...answer.top.map(({ label, share }) => {
    const row = document.createElement("li");
    const meter = Object.assign(document.createElement("meter"), { value: share, max: 1, ariaLabel: label });
    const cells = [["label", label], ["share", percent(share)]].map(([kind, text]) =>
      Object.assign(document.createElement("span"), { className: kind, textContent: text }));
    row.append(cells[0], meter, cells[1]);
    return row;
  }));
}

async function ask(blob, name) {
  if (blob.size > limits.bytes) {
    tell(`${name} is too large: ${limits.bytes / 2 ** 20} MB are the most.`, true);
    return;
  }
  const number = ++asked;
  try {
    const headers = { "Content-Type": blob.type.startsWith("image/") ? blob.type : "application/octet-stream" };
    const response = await fetch(`predict?top=${TOP}`, { method: "POST", headers, body: blob });
    const answer = await response.json();
    if (number !== asked) return;
    if (!response.ok) {
      tell(`${name}: ${answer.error}.`, true);
      return;
    }
    tell("");
    show(answer, blob, name);
  } catch {
    tell("The server does not answer. Is it still running?", true);
  }
}

const take = async (files) => { for (const file of files) await ask(file, file.name); };

part("file").addEventListener("change", ({ target }) => take([...target.files]).then(() => { target.value = ""; }));
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); part("drop").classList.add("over"); });
}
for (const kind of ["dragleave", "drop"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); part("drop").classList.remove("over"); });
}
document.addEventListener("drop", (event) => take([...event.dataTransfer.files]));
document.addEventListener("paste", (event) => take([...event.clipboardData.files]));

// The camera: a picture is asked about as soon as the one before it is answered.
let stream = null;

async function look() {
  const video = part("live");
  const canvas = document.createElement("canvas");
  while (stream) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (!video.videoWidth) continue;
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
    if (stream && blob) await ask(blob, "the camera");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

part("camera").addEventListener("click", async () => {
  if (stream) {
    stream.getTracks().forEach((track) => track.stop());
    stream = null;
  } else {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
      part("live").srcObject = stream;
      tell("");
      look();
    } catch {
      tell("There is no camera, or it may not be used.", true);
    }
  }
  part("live").hidden = !stream;
  part("camera").setAttribute("aria-pressed", String(Boolean(stream)));
});

introduce().catch(() => tell("The server does not answer.", true));
