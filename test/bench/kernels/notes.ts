/** What the table does not say by itself, as markdown for its end. */
export const NOTES = `## What would close the rest of the gap to C

C works on eight doubles at once with fused multiply-add, WebAssembly's portable SIMD on two without: on one core of the processor
above 112–133 against 28–34 GF/s at their peaks. What is left to gain lies elsewhere:

- **Relaxed SIMD** has a fused multiply-add, 1.25 times as fast on shapes a and b in a trial, but its bits differ between machines, and
  equal bits are what makes a killed and resumed run end like one that was not. Left out.
- **f32 scoring**, with x − c taken in f64 before it is rounded: tried for full covariances as a kernel of its own (tiles of 8 events, 4
  lanes, exp and log still f64). Beside the f64 kernel, interleaved, 9 rounds, batches of 1024: 1.60, 1.86 and 1.95 times as fast dense for c, d
  and e, 1.73, 1.91 and 1.26 times beside the default, which skips. The log density was off by 1.2e-7 to 1.6e-7 of itself (4e-6 to 1.5e-5 nats; 1.4e-6 with components 20
  standard deviations apart), a posterior probability by 8e-7 at most, an offset of 1e6 changed nothing, and of 8,192 events none changed its segment. It is not
  kept: scoring is some 2 % of an event's time in the pipeline (shape c, \`pipeline.md\`), so that nobody would notice, and a second
  precision would have to be told apart in every test and label.
- **More pruning.** Components that cannot matter are given up after the first 16 rows of L⁻¹, which makes e faster than dense C. For c, where
  5.5 of 8 components matter, there is nothing to prune; for d a tighter bound than ‖y‖² of the first rows would be needed.
- **Small diagonal shapes** are exp: a third of shape a's EM step, twice the share of the distances or of the moments. K−1 exponentials an event
  would do (the largest component's is 1), but not in lanes of different events.
- **The step around the kernel** matters for small shapes: blend and M-step took 3 to 4 of shape a's 27 µs a batch in TypeScript, mostly the allocation of
  typed arrays (0.4–1 µs each above 64 bytes). In the kernel, with one copy handed over, they take 2; what is left is two such
  allocations and the objects around them.
`
