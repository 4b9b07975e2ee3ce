// When very many sign up at once, the form asks the browser for a proof of work (ALTCHA). It is done in the background while
// somebody types. Without this script, or where a browser can't do it, the form is sent all the same and waits for a look.
const STALE = 60_000; // after so long the answer "no proof needed" is asked for anew
const OLD = 50 * 60_000; // a challenge lives an hour
const PATIENCE = 20_000; // after so long the form is sent without a proof

for (const form of document.querySelectorAll("form[data-challenge]")) {
  const field = form.elements.altcha;
  const words = form.querySelector("[data-working]");
  let work = null;
  let since = 0;
  let sending = false;

  const begin = () => {
    const age = Date.now() - since;
    if (work && age < (field.value ? OLD : STALE)) return;
    since = Date.now();
    field.value = "";
    work = prove(form)
      .then((proof) => (field.value = proof))
      .catch(() => {}); // nothing that a visitor could mend: the form goes without
  };

  form.addEventListener("focusin", begin);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    begin();
    const tell = setTimeout(() => {
      words.textContent =
        "One moment: many people are signing up, so your browser does a small sum first. You need do nothing.";
    }, 300);
    Promise.race([work, new Promise((done) => setTimeout(done, PATIENCE))]).then(() => {
      clearTimeout(tell);
      HTMLFormElement.prototype.submit.call(form);
    });
  });
  // Back to this page by the browser's button: the form may be sent once more, with another proof.
  addEventListener("pageshow", () => {
    [work, sending, field.value, words.textContent] = [null, false, "", ""];
  });
}

async function prove(form) {
  if (!globalThis.crypto?.subtle || !globalThis.Worker) return ""; // a page without TLS
  const asked = new URLSearchParams({ form: form.elements.form.value });
  const answer = await fetch(`${form.dataset.challenge}?${asked}`, { cache: "no-store" });
  if (answer.status !== 200) return "";
  const challenge = await answer.json();
  const worker = new Worker(form.dataset.worker);
  try {
    const solution = await new Promise((done, fail) => {
      worker.onmessage = (event) => done(event.data);
      worker.onerror = fail;
      worker.postMessage(challenge.parameters);
    });
    return solution ? btoa(JSON.stringify({ challenge, solution })) : "";
  } finally {
    worker.terminate();
  }
}
