// Entry of `npm start` and `npm test`: checks Node, installs what is missing, then goes on under the pinned Node 24.
// Written for any Node, so that an old one can still print what to do.
var childProcess = require('child_process')
var fs = require('fs')
var path = require('path')

var root = path.join(__dirname, '..')
var major = Number(process.versions.node.split('.')[0])
if (major < 20) {
  console.error(
    'node: expected version 20 or newer, got ' +
      process.versions.node +
      '\n' +
      'Install a current Node.js (https://nodejs.org, or your version manager: `nvm install 24`) and run the command again.',
  )
  process.exit(1)
}

/** The lockfile npm leaves inside node_modules is rewritten by every install: older than ours means stale. */
function installed() {
  var marker = path.join(root, 'node_modules', '.package-lock.json')
  if (!fs.existsSync(marker) || !fs.existsSync(node24())) return false
  return fs.statSync(marker).mtimeMs >= fs.statSync(path.join(root, 'package-lock.json')).mtimeMs
}

function node24() {
  return path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/** Runs a program as if it were this process: signals go to it, and `done` is told its exit code and that of a signal that came. */
function run(command, args, options, done) {
  var child = childProcess.spawn(command, args, Object.assign({ cwd: root }, options))
  // A terminal sends Ctrl-C to the whole process group: the child has it already, and we end when it does.
  // Without a terminal the signal was sent to us alone.
  var terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  var stoppedBy = 0
  function onInterrupt() {
    stoppedBy = 130
    if (!terminal) child.kill('SIGINT')
  }
  function onTerminate() {
    stoppedBy = 143
    child.kill('SIGTERM')
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onTerminate)
  child.on('error', error => {
    console.error(command + ': ' + error.message)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    process.removeListener('SIGINT', onInterrupt)
    process.removeListener('SIGTERM', onTerminate)
    done(signal ? 128 + (require('os').constants.signals[signal] || 0) : code, stoppedBy)
  })
}

/** Installs what is missing, then goes on. npm says only what went wrong: its warnings on a fresh clone are forty lines of no concern. */
function install(next) {
  console.error('Installing dependencies (npm ci), which takes a minute or two …')
  var npm = process.env.npm_execpath
  var flags = ['ci', '--loglevel=error', '--no-audit', '--no-fund']
  var command = npm ? process.execPath : 'npm'
  run(command, npm ? [npm].concat(flags) : flags, { stdio: ['ignore', 2, 2], shell: !npm && process.platform === 'win32' }, (code, stoppedBy) => {
    if (stoppedBy) process.exit(stoppedBy)
    if (code === 0) return next()
    console.error('npm ci failed: see its messages above. Is the npm registry reachable?')
    process.exit(1)
  })
}

function start() {
  var task = process.argv[2]
  var rest = process.argv.slice(3)
  var bin = path.dirname(node24())
  var env = Object.assign({}, process.env, { PATH: bin + path.delimiter + process.env.PATH })
  // The same flags as services/eddy/bin/eddy.cjs.
  var source = ['--conditions=source', '--disable-warning=ExperimentalWarning', '--max-semi-space-size=16']
  var script = path.join(root, 'scripts', task.replace(':', '-') + '.ts')
  run(node24(), source.concat([script], rest), { env: env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] }, code => process.exit(code))
}

if (installed()) start()
else install(start)
