// A process that writes to a store until it is killed, and tells of each change that was acknowledged. Plain JavaScript on
// lmdb itself would prove nothing: it runs the store as it was bundled by its test.
const [bundle, directory] = process.argv.slice(2);
const { ResourceStore } = await import(bundle);
const store = ResourceStore.open(directory);
process.stdout.write(`open ${store.revision}\n`);
for (;;) {
  const revision = store.revision + 1;
  // Objects of several pages: a change that is half there would show.
  const changes = [0, 1, 2].map((number) => {
    const id = `Tier//t${(revision * 3 + number) % 50}`;
    const manifest = { kind: 'Tier', metadata: { name: id }, text: String(revision).repeat(3000) };
    const after = { id, manifest, revision, generation: 1, uid: 'u', created: '' };
    return { id, before: store.get(id), after };
  });
  store.commit({ time: '', who: { kind: 'agent' }, from: {}, verb: 'apply', changes });
  process.stdout.write(`${revision}\n`);
}
