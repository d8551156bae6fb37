/** What the table does not say by itself, as markdown for its end. */
export const NOTES = `## What would close the rest of the gap to C

C works on as many doubles at once as the machine has room for in a vector (eight in 512 bits) with fused multiply-add,
WebAssembly's portable SIMD on two without: on one core with 512-bit vectors 112–133 against 28–34 GF/s at their peaks. What is left to gain lies elsewhere:

- **Relaxed SIMD** has a fused multiply-add: in trials 1.25 times as fast on shapes a and b, 1.24, 1.27 and 1.25 times in dense scoring of c, d and e, 1.21, 1.22
  and 1.21 times in their dense EM steps, 1.16, 1.25 and 1.24 times in f32 scoring. But its bits differ between machines, and equal bits are what makes a killed and resumed run end like one that
  was not. Left out.
- **f32 scoring** of full covariances, with x − c taken in f64 before it is rounded (tiles of 8 events, 4 lanes; weights, exp, log and sums still f64), is
  \`webassembly-f32\`, off by default. It was 1.57, 1.83 and 1.95 times as fast dense for c, d and e (9 interleaved rounds, batches of 1024), and beside the default, which skips
  too, 1.54, 1.80 and 1.36 times; with its fallback, as in the table, 1.51, 1.77 and 1.36 times. Of 8,192 events none changed its segment; a posterior probability was off by 8e-7 at
  most on this benchmark's data and 3e-6 with components that overlap heavily, a log density by 1.7e-5 nats; an offset of 1e6 changed nothing. Events and models
  for which it might be off by more than 1e-4 stay in f64 (\`leastSingleDensity\`). Scoring's kernel is some 2 % of an event's time in the pipeline for shape c (\`pipeline.md\`):
  this is for large models, and for files scored at once.
- **More pruning.** Components that cannot matter are given up after the first 16 rows of L⁻¹, which makes e faster than dense C. For c, where
  5.5 of 8 components matter, there is nothing to prune; for d a tighter bound than ‖y‖² of the first rows would be needed.
- **Small diagonal shapes** are exp: a third of shape a's EM step, twice the share of the distances or of the moments. K−1 exponentials an event
  would do (the largest component's is 1), but not in lanes of different events.
- **The step around the kernel** matters for small shapes: blend and M-step took 3 to 4 of shape a's 27 µs a batch in TypeScript, mostly the allocation of
  typed arrays (0.4–1 µs each above 64 bytes). In the kernel, with one copy handed over, they take 2; what is left is two such
  allocations and the objects around them.
`
