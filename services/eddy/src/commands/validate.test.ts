import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { validateCommand } from './validate.ts'

const validate = (environment: Record<string, string>, ...argv: string[]) =>
  runCommand(terminal => validateCommand({ ...terminal, environment }), argv)

describe('eddy validate', () => {
  it('accepts the defaults and a file', async () => {
    expect(await validate({})).toEqual({ stdout: '', stderr: 'configuration: valid\n', code: 0 })
    const path = fileOf('eddy.yaml', 'model: { components: 4 }\nfeatures: [{ name: spend, min: 0 }]\n')
    expect(await validate({}, '--config', path)).toMatchObject({ code: 0, stderr: `${path}: valid\n` })
  })

  it('tells every mistake at once with its path and source, exit code 78', async () => {
    const path = fileOf('wrong.yaml', 'model: { components: 0, covariance: round }\nhttpp: {}\n')
    const { stdout, stderr, code } = await validate({ EDDY_HTTP_PORT: '99999' }, '--config', path)
    expect({ stdout, code }).toEqual({ stdout: '', code: 78 })
    expect(stderr).toMatch(/^eddy: configuration: 4 problems\n/)
    expect(stderr).toMatch(/wrong\.yaml: model\.components: expected at least 1, got 0/)
    expect(stderr).toMatch(/model\.covariance: expected "full" \| .*, got "round"/)
    expect(stderr).toMatch(/expected a known key, got "httpp"/)
    expect(stderr).toMatch(/EDDY_HTTP_PORT: http\.port: expected at most 65535, got 99999/)
    expect(stderr).not.toMatch(/ at .*\.ts:/)
  })

  it('tells scripts whether it is valid and what is not, beside the errors on stderr, with the same exit codes', async () => {
    expect(await validate({}, '--json')).toEqual({ stdout: '{"valid":true,"problems":[]}\n', stderr: '', code: 0 })
    const { stdout, stderr, code } = await validate({ EDDY_HTTP_PORT: '99999', EDDY_MODEL_COMPONENTS: '0' }, '--json')
    expect(code).toBe(78)
    const { valid, problems } = JSON.parse(stdout)
    expect([valid, problems.length]).toEqual([false, 2])
    for (const problem of problems) expect(stderr).toContain(problem)
    expect(JSON.parse((await validate({}, '--variables', '--json')).stdout)).toContainEqual({
      variable: 'EDDY_MODEL_COMPONENTS',
      path: 'model.components',
    })
  })

  it('prints what is in force: environment over file over default, secrets redacted', async () => {
    const path = fileOf('print.yaml', 'model: { components: 4, seed: 9 }\n')
    const environment = { EDDY_MODEL_COMPONENTS: '5', EDDY_HTTP_TOKEN: 'a-secret-of-16-characters' }
    const { stdout } = await validate(environment, '--config', path, '--print')
    expect(JSON.parse(stdout)).toMatchObject({
      model: { components: 5, seed: 9, covariance: 'full' },
      http: { token: '[redacted]' },
    })
    expect(stdout).not.toContain('a-secret')
  })

  it('prints the schema and the variables', async () => {
    const schema = JSON.parse((await validate({}, '--schema')).stdout)
    expect(schema.properties.model.properties.components).toMatchObject({ type: 'integer', minimum: 1 })
    expect((await validate({}, '--variables')).stdout).toMatch(/EDDY_MODEL_COMPONENTS\s+model\.components/)
    expect((await validate({}, '--variables', '--schema')).code).toBe(2)
  })

  it('names a file that is not there', async () => {
    const { stderr, code } = await validate({}, '--config', '/nowhere.yaml')
    expect({ stderr, code }).toEqual({
      code: 78,
      stderr: expect.stringMatching(/nowhere\.yaml: expected a readable YAML file/),
    })
  })
})
