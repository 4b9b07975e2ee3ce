// Solves one challenge of ALTCHA, version 2: finds the number from which a key was made that begins in a given way.
const MOST = 100_000;

self.onmessage = async ({ data }) => self.postMessage(await solve(data));

async function solve({ algorithm, nonce, salt, cost, keyLength, keyPrefix }) {
  if (algorithm !== "PBKDF2/SHA-256") return null;
  const begun = performance.now();
  const head = bytes(nonce);
  const rounds = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  const password = new Uint8Array(head.length + 4);
  password.set(head);
  const number = new DataView(password.buffer, head.length);
  for (let counter = 0; counter < MOST; counter++) {
    number.setUint32(0, counter);
    const material = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(await crypto.subtle.deriveBits(rounds, material, keyLength * 8));
    if (derivedKey.startsWith(keyPrefix)) return { counter, derivedKey, time: Math.round(performance.now() - begun) };
  }
  return null;
}

function bytes(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
