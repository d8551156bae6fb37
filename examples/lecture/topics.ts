import { readFileSync } from 'node:fs'
import { palette } from '@eddy/cli/plot'
import { plsa, type Random, random } from '@eddy/mixture'
import { likelihood } from './em.ts'
import type { Lesson } from './lesson.ts'

// Probabilistic latent semantic analysis (Hofmann 1999): each word of document d comes from a topic z drawn from P(z | d)
// and is drawn from P(w | z). A mixture whose weights belong to the document.

/** Counts of words in documents. */
export interface Corpus {
  readonly titles: readonly string[]
  readonly words: readonly string[]
  /** shape (documents, words), row-major */
  readonly counts: Float64Array
}

const stopWords = new Set(
  `a all an and any are as at be been but by each for from had have he her him his if in into it its may more no nor not of
   on one or other out shall she so such than that the their them then there therein thereof they this thereby those to two
   under until upon was were when where which who whom whose will with within without would`.split(/\s+/),
)

/** One document an Article's section or an Amendment. */
export function constitution(): Corpus {
  const text = readFileSync(new URL('./assets/us-constitution.txt', import.meta.url), 'utf8')
  const documents: { title: string; text: string }[] = []
  let part = ''
  for (const block of text.split(/\n(?=Article [IVX]+$|Amendment [IVX]+$|Section \d+$)/m)) {
    const [heading, ...lines] = block.trim().split('\n')
    const section = /^Section (\d+)/.exec(heading!)
    if (!section)
      part = heading!
        .replace(/^The .*/, 'Preamble')
        .replace('Amendment', 'Am.')
        .replace('Article', 'Art.')
    // The notes on when an amendment was passed and ratified are not its text.
    const body = lines.join(' ').replace(/(Passed by Congress|Ratified)[^.]*\d{4}\.?/g, ' ')
    const title = section ? `${part} § ${section[1]}` : part
    // Sections of one amendment are short: one document.
    if (section && part.startsWith('Am.')) documents.at(-1)!.text += ` ${body}`
    else documents.push({ title, text: body })
  }
  const tokens: string[][] = documents.map(document => document.text.toLowerCase().match(/[a-z]+/g) ?? [])
  const total = new Map<string, number>()
  for (const word of tokens.flat()) total.set(word, (total.get(word) ?? 0) + 1)
  // A word of many documents ("states") tells nothing about a topic, one of a single document only names it.
  const spread = (word: string) => tokens.filter(list => list.includes(word)).length
  const words = [...total.keys()]
    .filter(
      w => w.length > 2 && !stopWords.has(w) && total.get(w)! >= 4 && spread(w) >= 2 && spread(w) <= tokens.length / 4,
    )
    .sort()
  const place = new Map(words.map((word, i) => [word, i]))
  const kept = tokens
    .map(list => list.filter(word => place.has(word)))
    .map((list, d) => ({ list, title: documents[d]!.title }))
  const long = kept.filter(({ list }) => list.length >= 8)
  const counts = new Float64Array(long.length * words.length)
  long.forEach(({ list }, d) => {
    for (const word of list) counts[d * words.length + place.get(word)!]! += 1
  })
  return { titles: long.map(({ title }) => title), words, counts }
}

export interface Topics {
  /** P(w | z), shape (topics, words) */
  readonly words: Float64Array
  /** P(z | d), shape (documents, topics) */
  readonly documents: Float64Array
  /** Σ n(d, w) log P(w | d), nats, before each EM step */
  readonly logLikelihoods: readonly number[]
}

/** K topics by EM from random responsibilities: the library's `plsa`, told as each document's shares of them. */
export function topicsOf(corpus: Corpus, topics: number, steps: number, random: Random): Topics {
  const { counts, titles, words } = corpus
  const [D, W] = [titles.length, words.length]
  const entries = Array.from(counts, (count, i) => ({ document: Math.floor(i / W), word: i % W, count }))
  const lengths = titles.map((_, d) => counts.subarray(d * W, (d + 1) * W).reduce((a, b) => a + b))
  const total = lengths.reduce((a, b) => a + b)
  // log P(w | d) = log P(d, w) − log P(d), and P(d) is the document's share of all words.
  const ofDocuments = lengths.reduce((sum, n) => sum + n * Math.log(n / total), 0)
  const logLikelihoods: number[] = []
  const found = plsa(
    entries.filter(({ count }) => count > 0),
    {
      topics,
      prior: likelihood,
      random,
      tolerance: 0,
      maxIterations: steps,
      onIteration: (_, lowerBound) => logLikelihoods.push(lowerBound * total - ofDocuments),
    },
  )
  // P(z | d) ∝ P(z) P(d | z)
  const documents = new Float64Array(D * topics)
  for (let d = 0; d < D; d++) {
    const joint = Array.from(found.weights, (weight, z) => weight * found.documents[z * D + d]!)
    const sum = joint.reduce((a, b) => a + b)
    documents.set(
      joint.map(p => p / sum),
      d * topics,
    )
  }
  return { words: found.words, documents, logLikelihoods }
}

/** The log-likelihood of one topic in closed form: Σ n(w) log(n(w) / n). */
export function oneTopicLogLikelihood({ counts, words }: Corpus): number {
  const total = new Float64Array(words.length)
  counts.forEach((n, i) => {
    total[i % words.length]! += n
  })
  const n = total.reduce((a, b) => a + b)
  return total.reduce((sum, count) => sum + count * Math.log(count / n), 0)
}

export function topics(): Lesson {
  const corpus = constitution()
  const best = Array.from({ length: 10 }, (_, seed) => topicsOf(corpus, 6, 200, random(seed))).reduce((a, b) =>
    b.logLikelihoods.at(-1)! > a.logLikelihoods.at(-1)! ? b : a,
  )
  const one = topicsOf(corpus, 1, 2, random(0)).logLikelihoods.at(-1)!
  const heaviest = topWords(corpus, best, 5)
  return {
    pictures: { 'topics.svg': picture(corpus, best) },
    numbers: {
      documents: corpus.titles.length,
      words: corpus.words.length,
      oneTopic: one,
      oneTopicClosedForm: oneTopicLogLikelihood(corpus),
      sixTopics: best.logLikelihoods.at(-1)!,
      largestFall: Math.max(...best.logLikelihoods.slice(1).map((value, i) => best.logLikelihoods[i]! - value)),
    },
    summary: heaviest.map((words, z) => `topic ${z + 1}: ${words.map(([word]) => word).join(' ')}`).join('\n'),
  }
}

/** The `count` most probable words of each topic with their probabilities. */
export function topWords({ words }: Corpus, { words: probability }: Topics, count: number): [string, number][][] {
  const W = words.length
  return Array.from({ length: probability.length / W }, (_, z) =>
    words
      .map((word, w): [string, number] => [word, probability[z * W + w]!])
      .sort((a, b) => b[1] - a[1])
      .slice(0, count),
  )
}

/** Above: the words of each topic. Below: each document as a bar of its topics. */
function picture(corpus: Corpus, found: Topics): string {
  const perTopic = topWords(corpus, found, 9)
  const K = perTopic.length
  const largest = Math.max(...perTopic.map(words => words[0]![1]))
  const parts: string[] = []
  perTopic.forEach((words, z) => {
    const left = 16 + z * 158
    parts.push(`<text x="${left}" y="48" font-weight="600" fill="${palette[z]}">topic ${z + 1}</text>`)
    words.forEach(([word, p], i) => {
      const y = 68 + i * 18
      parts.push(
        `<rect x="${left}" y="${y - 11}" width="${((146 * p) / largest).toFixed(1)}" height="14" fill="${palette[z]}" fill-opacity="0.3"/>`,
        `<text x="${left + 4}" y="${y}">${word}</text>`,
      )
    })
  })
  const top = 268
  corpus.titles.forEach((title, d) => {
    const column = Math.floor(d / 16)
    const x = 16 + column * 316
    const y = top + (d % 16) * 18
    let from = x + 92
    parts.push(`<text x="${x}" y="${y}">${title}</text>`)
    for (let z = 0; z < K; z++) {
      const width = 200 * found.documents[d * K + z]!
      parts.push(
        `<rect x="${from.toFixed(1)}" y="${y - 11}" width="${width.toFixed(1)}" height="14" fill="${palette[z]}" fill-opacity="0.7"/>`,
      )
      from += width
    }
  })
  const height = top + 16 * 18 + 8
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="968" height="${height}" viewBox="0 0 968 ${height}" role="img" font-family="system-ui, sans-serif" font-size="12">\n` +
    `<title>Six topics of the Constitution of the United States</title>\n<rect width="100%" height="100%" fill="#fff"/>\n` +
    `<text x="16" y="22" font-size="14" font-weight="600">Six topics of the Constitution of the United States, and the topics of each part</text>\n` +
    `${parts.join('\n')}\n</svg>\n`
  )
}
