// Ends the output of every test run with one plain line of totals, for programs that watch it.
module.exports = class TotalsReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
    const skipped = results.numPendingTests + results.numTodoTests
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`
    // Jest prints its own summary after the reporters are done.
    process.on('exit', () => process.stdout.write(line))
  }
}
