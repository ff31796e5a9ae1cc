// Set up in every test process: a process warning is an uncaught error there, and that fails the run.
process.on('warning', (warning) => {
  throw warning;
});
