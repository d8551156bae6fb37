// `npm run lecture [NAME …]`: runs the scripts of examples/lecture and writes their pictures.
import { mkdirSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lessons } from '../examples/lecture/lecture.ts'

const folder = fileURLToPath(new URL('../examples/lecture/pictures/', import.meta.url))
const wanted = process.argv.slice(2)
const unknown = wanted.find(name => !lessons[name])
if (unknown !== undefined) {
  console.error(`lecture: expected one of ${Object.keys(lessons).join(', ')}, got ${unknown}`)
  process.exit(2)
}
mkdirSync(folder, { recursive: true })
for (const name of wanted.length > 0 ? wanted : Object.keys(lessons)) {
  const { pictures, summary } = lessons[name]!()
  console.log(`${name}\n${summary.replaceAll(/^/gm, '  ')}`)
  for (const [file, content] of Object.entries(pictures)) {
    writeFileSync(folder + file, content)
    console.log(`  → ${relative(process.cwd(), folder + file)}`)
  }
}
