#!/usr/bin/env node
// The `eddy` command under any Node: goes on under the Node 24 of the `node` package, or says what to do.
// Old JavaScript on purpose, so that an old Node can read it.
var childProcess = require('child_process')
var fs = require('fs')
var os = require('os')
var path = require('path')

var home = path.join(__dirname, '..')
var wanted = 24
// Short-lived records fill the young generation; unbounded, it takes 100 MB more at the same speed.
var flags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=16']

/** The binary of the `node` package, a dependency of this one; undefined where its download was skipped. */
function packagedNode() {
  var paths = [home, __dirname]
  var binary = process.platform === 'win32' ? 'node.exe' : 'node'
  try {
    var found = path.join(path.dirname(require.resolve('node/package.json', { paths: paths })), 'bin', binary)
    if (fs.existsSync(found)) return found
  } catch (error) {
    return undefined
  }
  return undefined
}

function fail(message) {
  console.error('eddy: ' + message)
  process.exit(1)
}

/** Source in a checkout; in an installed package (where Node does not strip types) what was built of it. */
function entry() {
  var built = path.join(home, 'dist', 'main.js')
  var source = path.join(home, 'src', 'main.ts')
  var checkout = home.split(path.sep).indexOf('node_modules') < 0 && fs.existsSync(source)
  if (checkout) return flags.concat(['--conditions=source', source])
  if (fs.existsSync(built)) return flags.concat([built])
  return fail('expected ' + built + ', got no such file. Reinstall the package (or run `npm run build` in its source).')
}

var major = Number(process.versions.node.split('.')[0])
var node = packagedNode()
if (!node && major >= wanted) node = process.execPath
if (!node) {
  fail(
    'node: expected version ' +
      wanted +
      ' or newer, got ' +
      process.versions.node +
      ' and no `node` package beside it.\n' +
      'Install a current Node.js (https://nodejs.org, or `nvm install 24`), or reinstall with scripts allowed: npm install @eddy/cli',
  )
}

var child = childProcess.spawn(node, entry().concat(process.argv.slice(2)), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
// A terminal sends Ctrl-C to the whole process group: the child gets it by itself and decides when to end (twice would
// mean "at once"). Without a terminal the signal was sent to us alone.
var terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
process.on('SIGINT', function () {
  if (!terminal) child.kill('SIGINT')
})
;['SIGTERM', 'SIGHUP'].forEach(function (signal) {
  process.on(signal, function () {
    child.kill(signal)
  })
})
child.on('error', function (error) {
  fail(node + ': ' + error.message)
})
child.on('exit', function (code, signal) {
  if (signal) console.error('eddy: ended by ' + signal + '.')
  process.exit(signal ? 128 + (os.constants.signals[signal] || 0) : code)
})
