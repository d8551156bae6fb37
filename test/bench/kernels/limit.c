// The machine's limit: the same E-step, statistics and scoring in C for one compiled-in shape, in vectors as wide as the machine's:
// wider ones would be taken apart and spilt, and the limit would be none.
// cc -O3 -march=native -DK=8 -DD=16 -DFULL=1 limit.c -lm
// Reads commands "em BATCH SECONDS" and "score BATCH SECONDS", answers with events per second of processor time and a checksum.
// No M-step and no blending: what is timed is less than what it is compared with. Its first line is {"vectorBits": …} in JSON.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Doubles a vector.
#if defined(__AVX512F__)
#define W 8
#elif defined(__AVX2__)
#define W 4
#else
#define W 2
#endif
#define B 64 // events a block
#define P (D * (D + 1) / 2)
#define DP ((D + W - 1) / W * W) // columns in whole vectors
typedef double vec __attribute__((vector_size(8 * W)));
typedef int64_t ivec __attribute__((vector_size(8 * W)));

static double weights[K], means[K][D], factor[K][FULL ? P : D], reference[D], constants[K];
static vec tiles[B / W][D], density[K][B / W], largest[B / W], sums[B / W];
static double columns[B][DP] __attribute__((aligned(64))), weighted[B][DP] __attribute__((aligned(64)));
static double s0[K], s1[K][DP] __attribute__((aligned(64)));
static double s2[K][FULL ? D : 1][DP] __attribute__((aligned(64)));
static double *values, *posterior, *log_density;
static long rows_in_file;

static inline vec splat(double x) { return x - (vec){0}; }

static inline vec vector_exp(vec x) {
  const vec shifted = x * 1.4426950408889634 + 6755399441055744.0;
  const vec n = shifted - 6755399441055744.0;
  const vec r = x - n * 6.93147180369123816490e-1 - n * 1.90821492927058770002e-10;
  const vec r2 = r * r, r4 = r2 * r2;
  const vec a = (r * 0.008333333333330039 + 0.041666666666623824) * r2 + (r * 0.16666666666666669 + 0.5);
  const vec b = (r * 2.7557268276905696e-6 + 2.4801521057868204e-5) * r2 + (r * 0.00019841269863171557 + 0.0013888888917367081);
  const vec q = ((r * 2.5100472505694996e-8 + 2.7620201591031547e-7) * r4 + b) * r4 + a;
  const vec p = q * r2 + r + 1.0;
  return (vec)(((ivec)p + ((ivec)shifted << 52)) & (x > -708.0));
}

static void pack(const double *x) {
  for (int t = 0; t < B / W; t++)
    for (int i = 0; i < D; i++)
      for (int n = 0; n < W; n++) tiles[t][i][n] = x[(t * W + n) * D + i];
}

static void densities(void) {
  for (int k = 0; k < K; k++) {
#if FULL
    for (int t = 0; t < B / W; t += 2) {
      vec difference[2][D], q0 = splat(0), q1 = splat(0);
      for (int i = 0; i < D; i++) {
        difference[0][i] = tiles[t][i] - means[k][i];
        difference[1][i] = tiles[t + 1][i] - means[k][i];
      }
      for (int j = 0; j < D; j += 4) { // 4 rows of L⁻¹ × two vectors of events
        const double *l0 = factor[k] + j * (j + 1) / 2, *l1 = l0 + j + 1, *l2 = l1 + j + 2, *l3 = l2 + j + 3;
        vec a0 = splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (int i = 0; i <= j; i++) {
          const vec x = difference[0][i], y = difference[1][i];
          a0 += l0[i] * x; b0 += l0[i] * y;
          a1 += l1[i] * x; b1 += l1[i] * y;
          a2 += l2[i] * x; b2 += l2[i] * y;
          a3 += l3[i] * x; b3 += l3[i] * y;
        }
        for (int i = j + 1; i < j + 4; i++) {
          const vec x = difference[0][i], y = difference[1][i];
          if (i == j + 1) { a1 += l1[i] * x; b1 += l1[i] * y; }
          if (i <= j + 2) { a2 += l2[i] * x; b2 += l2[i] * y; }
          a3 += l3[i] * x; b3 += l3[i] * y;
        }
        q0 += a0 * a0 + a1 * a1 + a2 * a2 + a3 * a3;
        q1 += b0 * b0 + b1 * b1 + b2 * b2 + b3 * b3;
      }
      density[k][t] = constants[k] - 0.5 * q0;
      density[k][t + 1] = constants[k] - 0.5 * q1;
    }
#else
    for (int t = 0; t < B / W; t += 4) {
      vec q0 = splat(0), q1 = q0, q2 = q0, q3 = q0;
      for (int i = 0; i < D; i++) {
        const vec y0 = (tiles[t][i] - means[k][i]) * factor[k][i], y1 = (tiles[t + 1][i] - means[k][i]) * factor[k][i];
        const vec y2 = (tiles[t + 2][i] - means[k][i]) * factor[k][i], y3 = (tiles[t + 3][i] - means[k][i]) * factor[k][i];
        q0 += y0 * y0; q1 += y1 * y1; q2 += y2 * y2; q3 += y3 * y3;
      }
      density[k][t] = constants[k] - 0.5 * q0; density[k][t + 1] = constants[k] - 0.5 * q1;
      density[k][t + 2] = constants[k] - 0.5 * q2; density[k][t + 3] = constants[k] - 0.5 * q3;
    }
#endif
  }
}

static void exponentials(void) {
  for (int t = 0; t < B / W; t++) {
    vec m = density[0][t], s = splat(0);
    for (int k = 1; k < K; k++) {
      const ivec above = density[k][t] > m;
      m = (vec)(((ivec)density[k][t] & above) | ((ivec)m & ~above));
    }
    for (int k = 0; k < K; k++) s += density[k][t] = vector_exp(density[k][t] - m);
    largest[t] = m;
    sums[t] = s;
  }
}

static double em_block(const double *x) {
  pack(x);
  densities();
  exponentials();
  vec total = splat(0), product = splat(1);
  for (int t = 0; t < B / W; t++) {
    total += largest[t];
    product *= sums[t];
    const vec f = 1.0 / sums[t];
    for (int k = 0; k < K; k++) density[k][t] *= f;
  }
  double likelihood = 0;
  for (int n = 0; n < W; n++) likelihood += total[n] + log(product[n]);
  for (int k = 0; k < K; k++) {
    vec s = splat(0);
    for (int t = 0; t < B / W; t++) s += density[k][t];
    for (int n = 0; n < W; n++) s0[k] += s[n];
  }
#if FULL
  for (int n = 0; n < B; n++)
    for (int i = 0; i < D; i++) columns[n][i] = x[n * D + i] - reference[i];
  for (int k = 0; k < K; k++) {
    const double *r = (const double *)density[k];
    for (int n = 0; n < B; n++)
      for (int i = 0; i < D; i += W) *(vec *)&weighted[n][i] = *(vec *)&columns[n][i] * r[n];
    for (int j = 0; j < D; j += W) { // 8 rows × one vector of columns, from the diagonal down
      vec s = *(vec *)&s1[k][j];
      for (int n = 0; n < B; n++) s += *(vec *)&weighted[n][j];
      *(vec *)&s1[k][j] = s;
      for (int i = j / 8 * 8; i < D; i += 8) {
        vec a[8];
        for (int u = 0; u < 8; u++) a[u] = *(vec *)&s2[k][i + u][j];
        for (int n = 0; n < B; n++) {
          const vec w = *(vec *)&weighted[n][j];
          for (int u = 0; u < 8; u++) a[u] += columns[n][i + u] * w;
        }
        for (int u = 0; u < 8; u++) *(vec *)&s2[k][i + u][j] = a[u];
      }
    }
  }
#else
  for (int i = 0; i < D; i++)
    for (int t = 0; t < B / W; t++) tiles[t][i] -= reference[i];
  for (int k = 0; k < K; k++)
    for (int i = 0; i < D; i += 4) { // 4 columns × (sums, sums of squares), events in lanes
      vec a[4], b[4];
      for (int u = 0; u < 4; u++) a[u] = b[u] = splat(0);
      for (int t = 0; t < B / W; t++) {
        const vec r = density[k][t];
        for (int u = 0; u < 4; u++) {
          const vec w = r * tiles[t][i + u];
          a[u] += w;
          b[u] += w * tiles[t][i + u];
        }
      }
      for (int u = 0; u < 4; u++)
        for (int n = 0; n < W; n++) {
          s1[k][i + u] += a[u][n];
          s2[k][0][i + u] += b[u][n];
        }
    }
#endif
  return likelihood;
}

static double score_block(const double *x, double *out, double *logs) {
  pack(x);
  densities();
  exponentials();
  double checksum = 0;
  for (int t = 0; t < B / W; t++) {
    const vec f = 1.0 / sums[t];
    for (int k = 0; k < K; k++) {
      const vec p = density[k][t] * f;
      for (int n = 0; n < W; n++) out[(t * W + n) * K + k] = p[n];
    }
    for (int n = 0; n < W; n++) checksum += logs[t * W + n] = largest[t][n] + log(sums[t][n]);
  }
  return checksum;
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static double *read_doubles(FILE *file, double *to, size_t count) {
  if (to == NULL) to = aligned_alloc(64, (count * 8 + 63) / 64 * 64);
  if (fread(to, 8, count, file) != count) exit(2);
  return to;
}

// The file: row count, then weights, means, L⁻¹, log |L⁻¹|, reference, values, all as doubles.
int main(int argc, char **argv) {
  FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) return 2;
  double head, determinants[K];
  read_doubles(file, &head, 1);
  rows_in_file = (long)head;
  read_doubles(file, weights, K);
  read_doubles(file, &means[0][0], K * D);
  read_doubles(file, &factor[0][0], sizeof factor / 8);
  read_doubles(file, determinants, K);
  read_doubles(file, reference, D);
  values = read_doubles(file, NULL, rows_in_file * D);
  for (int k = 0; k < K; k++) constants[k] = log(weights[k]) + determinants[k] - 0.5 * D * log(2 * M_PI);
  posterior = aligned_alloc(64, 1 << 26);
  log_density = aligned_alloc(64, 1 << 22);

  char step[16];
  long batch;
  double seconds;
  printf("{\"vectorBits\": %d}\n", 64 * W);
  fflush(stdout);
  while (scanf("%15s %ld %lf", step, &batch, &seconds) == 3) {
    const int em = strcmp(step, "em") == 0;
    long events = 0;
    double checksum = 0;
    const double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    do {
      const double *x = values + events % (rows_in_file / batch * batch) * D;
      for (long n = 0; n < batch; n += B)
        checksum += em ? em_block(x + n * D) : score_block(x + n * D, posterior + n * K, log_density + n);
      events += batch;
    } while (now(CLOCK_MONOTONIC) - start < seconds);
    printf("%.6g %.17g\n", events / (now(CLOCK_PROCESS_CPUTIME_ID) - cpu), checksum / events);
    fflush(stdout);
  }
  return 0;
}
