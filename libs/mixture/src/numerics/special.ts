const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI)

/** log Γ(x) for x > 0, nats: recurrence up to 10, then Stirling's series (Abramowitz & Stegun 6.1.41). */
export function logGamma(x: number): number {
  let product = 1
  let y = x
  while (y < 10) product *= y++
  const inverse = 1 / y
  const square = inverse * inverse
  const series =
    inverse *
    (1 / 12 -
      square *
        (1 / 360 -
          square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - square * (691 / 360360 - square / 156))))))
  return (y - 0.5) * Math.log(y) - y + HALF_LOG_TWO_PI + series - Math.log(product)
}

/** ψ(x) = d log Γ(x)/dx for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz & Stegun 6.3.18). */
export function digamma(x: number): number {
  let sum = 0
  let y = x
  while (y < 10) sum -= 1 / y++
  const square = 1 / (y * y)
  const series =
    square *
    (1 / 12 -
      square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square * (1 / 132 - (square * 691) / 32760)))))
  return sum + Math.log(y) - 0.5 / y - series
}

const TABLE = Float64Array.from({ length: 1024 }, (_, n) => logGamma(n + 1))

/** log n! for n ≥ 0; whole numbers below 1024 come from a table, other numbers by log Γ(n + 1). */
export function logFactorial(n: number): number {
  const index = n | 0
  return index === n && index < TABLE.length ? TABLE[index]! : logGamma(n + 1)
}
