import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { reachBrokers } from './reach-brokers.ts'

const listening = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, broker: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

it('says soon that no broker answers, and ends in the time that it tells', async () => {
  const { server, broker } = await listening()
  server.close()
  await once(server, 'close')
  const told: string[] = []
  const began = performance.now()
  const patience = { tellAfterMs: 200, giveUpAfterMs: 1000 }
  await expect(reachBrokers([broker], message => told.push(message), patience)).rejects.toThrow(
    `brokers: expected one to take a connection within 1 s, got ${broker}: ECONNREFUSED. Check`,
  )
  expect(performance.now() - began).toBeGreaterThan(900)
  expect(told).toEqual([`no answer from ${broker} yet; trying for 1 s.`])
})

it('is content with one that answers, and then says nothing', async () => {
  const { server, broker } = await listening()
  const told: string[] = []
  await reachBrokers(['127.0.0.1:1', broker], message => told.push(message))
  server.close()
  expect(told).toEqual([])
})
