import type { TopicOptions } from '@eddy/log'
import type { TopicDescription } from './driver.ts'

/** A topic's options as Kafka's settings; without a retention everything is kept. */
export function topicConfiguration(
  { cleanup, retentionMs, retentionBytes }: TopicOptions,
  replicas = 1,
): Record<string, string> {
  return {
    // Of three copies two have what was acknowledged: one broker may be away, and may be lost.
    ...(replicas >= 3 && { 'min.insync.replicas': '2' }),
    'cleanup.policy': cleanup,
    'retention.ms': `${retentionMs ?? -1}`,
    'retention.bytes': `${retentionBytes ?? -1}`,
  }
}

export function descriptionOf(
  partitions: number,
  settings: readonly { readonly name: string; readonly value: string | null | undefined }[],
): TopicDescription {
  const value = (name: string) => settings.find(setting => setting.name === name)?.value
  const limit = (name: string) => {
    const number = Number(value(name) ?? -1)
    return number < 0 ? undefined : number
  }
  const [retentionMs, retentionBytes] = [limit('retention.ms'), limit('retention.bytes')]
  return {
    partitions,
    cleanup: value('cleanup.policy')?.includes('compact') ? 'compact' : 'delete',
    ...(retentionMs !== undefined && { retentionMs }),
    ...(retentionBytes !== undefined && { retentionBytes }),
  }
}

/** How long a new topic may take until every broker knows it, milliseconds. */
const KNOWN_MS = 30_000

/** Asks for a new topic until it is there. */
export async function known(describe: () => Promise<TopicDescription | undefined>): Promise<void> {
  for (const deadline = performance.now() + KNOWN_MS; ; ) {
    const description = await describe().catch(error => {
      if (performance.now() > deadline) throw error
    })
    if (description || performance.now() > deadline) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
