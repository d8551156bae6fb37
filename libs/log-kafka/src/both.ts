import { RefusedError } from './driver.ts'

/**
 * Results of the two halves of a transaction, once both are over: nothing may still be under way when it is ended.
 * @param classify what an error of the client library means
 * @throws the failure of a half; of two, one that ends the process
 */
export async function both<A, B>(
  first: Promise<A>,
  second: Promise<B>,
  classify: (error: unknown) => unknown,
): Promise<[A, B]> {
  const failures: unknown[] = []
  const noted = <T>(half: Promise<T>): Promise<T | undefined> =>
    half.catch(error => {
      failures.push(classify(error))
      return undefined
    })
  const [a, b] = await Promise.all([noted(first), noted(second)])
  if (failures.length > 0) throw failures.find(failure => !(failure instanceof RefusedError)) ?? failures[0]
  return [a as A, b as B]
}
