#include <math.h>
#include <stdint.h>
#include <string.h>

#define UNUSED __attribute__((unused))
/* Called from many places: a copy at each would take the compiler seconds. */
#if defined(__GNUC__) && !defined(__clang__)
#define KERNEL static __attribute__((noinline, noclone, unused))
#else
#define KERNEL static __attribute__((noinline, unused))
#endif

/* NaN wins, as in NumPy; the reductions below are told of numbers only. */
#define LARGER(x, y) ((x) >= (y) || (x) != (x) ? (x) : (y))
#define SMALLER(x, y) ((x) <= (y) || (x) != (x) ? (x) : (y))
#pragma omp declare reduction(larger : float, double : omp_out = omp_in > omp_out ? omp_in : omp_out) \
    initializer(omp_priv = -INFINITY)
#pragma omp declare reduction(smaller : float, double : omp_out = omp_in < omp_out ? omp_in : omp_out) \
    initializer(omp_priv = INFINITY)

/* A sum in two numbers, whose rest collects what rounding loses (Neumaier 1974). */
UNUSED static inline void add_exactly(double *sum, double *rest, double x) {
  const double s = *sum + x;
  *rest += fabs(*sum) >= fabs(x) ? (*sum - s) + x : (x - s) + *sum;
  *sum = s;
}
UNUSED static inline double rounded(double sum, double rest) { return isfinite(rest) ? sum + rest : sum; }

#ifdef __FMA__
#define FUSED(x, y, z) __builtin_fmaf(x, y, z)
#else
#define FUSED(x, y, z) ((x) * (y) + (z))
#endif
UNUSED static inline float exponentialf(float x) {
  union { float number; int32_t bits; } whole, one, two;
  x = 89.0f < x ? 89.0f : x;
  x = -104.0f > x ? -104.0f : x;
  whole.number = FUSED(x, 0x1.715476p+0f, 12582912.0f);
  const int32_t n = whole.bits - 0x4B400000;
  const float turns = whole.number - 12582912.0f;
  /* The first part of log 2 has few bits: its products are exact without fused operations, too. */
  const float r = FUSED(turns, 0x1.bd0106p-13f, FUSED(turns, -0x1.63p-1f, x));
  float p = FUSED(r, 0x1.6a21a8p-10f, 0x1.123b6ap-7f);
  p = FUSED(r, p, 0x1.5558fcp-5f);
  p = FUSED(r, p, 0x1.55549p-3f);
  p = FUSED(r, p, 0x1.fffffcp-2f);
  p = FUSED(r * r, p, r) + 1;
  one.bits = ((n >> 1) + 127) << 23;
  two.bits = (n - (n >> 1) + 127) << 23;
  return p * one.number * two.number;
}


KERNEL void transpose_f32(long rows, long columns, const float *restrict x, long across, float *restrict y, long down) {
  enum { SIZE = 8 };
  long r = 0;
  for (; r + SIZE <= rows; r += SIZE) {
    long c = 0;
    for (; c + SIZE <= columns; c += SIZE) {
      const float *restrict from = x + r * across + c;
      float *restrict to = y + c * down + r;
#if defined(__AVX__) && defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
      typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));
      const v8 a0 = *(const v8 *)(from + 0 * across);
      const v8 a1 = *(const v8 *)(from + 1 * across);
      const v8 a2 = *(const v8 *)(from + 2 * across);
      const v8 a3 = *(const v8 *)(from + 3 * across);
      const v8 a4 = *(const v8 *)(from + 4 * across);
      const v8 a5 = *(const v8 *)(from + 5 * across);
      const v8 a6 = *(const v8 *)(from + 6 * across);
      const v8 a7 = *(const v8 *)(from + 7 * across);
      const v8 b0 = __builtin_shufflevector(a0, a1, 0, 8, 2, 10, 4, 12, 6, 14);
      const v8 b1 = __builtin_shufflevector(a0, a1, 1, 9, 3, 11, 5, 13, 7, 15);
      const v8 b2 = __builtin_shufflevector(a2, a3, 0, 8, 2, 10, 4, 12, 6, 14);
      const v8 b3 = __builtin_shufflevector(a2, a3, 1, 9, 3, 11, 5, 13, 7, 15);
      const v8 b4 = __builtin_shufflevector(a4, a5, 0, 8, 2, 10, 4, 12, 6, 14);
      const v8 b5 = __builtin_shufflevector(a4, a5, 1, 9, 3, 11, 5, 13, 7, 15);
      const v8 b6 = __builtin_shufflevector(a6, a7, 0, 8, 2, 10, 4, 12, 6, 14);
      const v8 b7 = __builtin_shufflevector(a6, a7, 1, 9, 3, 11, 5, 13, 7, 15);
      const v8 c0 = __builtin_shufflevector(b0, b2, 0, 1, 8, 9, 4, 5, 12, 13);
      const v8 c2 = __builtin_shufflevector(b0, b2, 2, 3, 10, 11, 6, 7, 14, 15);
      const v8 c1 = __builtin_shufflevector(b1, b3, 0, 1, 8, 9, 4, 5, 12, 13);
      const v8 c3 = __builtin_shufflevector(b1, b3, 2, 3, 10, 11, 6, 7, 14, 15);
      const v8 c4 = __builtin_shufflevector(b4, b6, 0, 1, 8, 9, 4, 5, 12, 13);
      const v8 c6 = __builtin_shufflevector(b4, b6, 2, 3, 10, 11, 6, 7, 14, 15);
      const v8 c5 = __builtin_shufflevector(b5, b7, 0, 1, 8, 9, 4, 5, 12, 13);
      const v8 c7 = __builtin_shufflevector(b5, b7, 2, 3, 10, 11, 6, 7, 14, 15);
      const v8 d0 = __builtin_shufflevector(c0, c4, 0, 1, 2, 3, 8, 9, 10, 11);
      const v8 d4 = __builtin_shufflevector(c0, c4, 4, 5, 6, 7, 12, 13, 14, 15);
      const v8 d1 = __builtin_shufflevector(c1, c5, 0, 1, 2, 3, 8, 9, 10, 11);
      const v8 d5 = __builtin_shufflevector(c1, c5, 4, 5, 6, 7, 12, 13, 14, 15);
      const v8 d2 = __builtin_shufflevector(c2, c6, 0, 1, 2, 3, 8, 9, 10, 11);
      const v8 d6 = __builtin_shufflevector(c2, c6, 4, 5, 6, 7, 12, 13, 14, 15);
      const v8 d3 = __builtin_shufflevector(c3, c7, 0, 1, 2, 3, 8, 9, 10, 11);
      const v8 d7 = __builtin_shufflevector(c3, c7, 4, 5, 6, 7, 12, 13, 14, 15);
      *(v8 *)(to + 0 * down) = d0;
      *(v8 *)(to + 1 * down) = d1;
      *(v8 *)(to + 2 * down) = d2;
      *(v8 *)(to + 3 * down) = d3;
      *(v8 *)(to + 4 * down) = d4;
      *(v8 *)(to + 5 * down) = d5;
      *(v8 *)(to + 6 * down) = d6;
      *(v8 *)(to + 7 * down) = d7;
#else
      for (long i = 0; i < SIZE; i++) for (long j = 0; j < SIZE; j++) to[j * down + i] = from[i * across + j];
#endif
    }
    for (; c < columns; c++) for (long i = 0; i < SIZE; i++) y[c * down + r + i] = x[(r + i) * across + c];
  }
  if (r < rows) for (long c = 0; c < columns; c++) for (long i = r; i < rows; i++) y[c * down + i] = x[i * across + c];
}

/* ---- */
/* add max sub exp sum div sub sum over [64, 10] */
KERNEL void k0(const float *restrict p0, const float *restrict p1, const float *restrict p2, float *restrict o0, float *restrict o1, float *restrict o2) {
  for (long i1 = 0; i1 < 10; i1++) {
    o2[i1] = 0;
  }
  for (long i0 = 0; i0 < 64; i0++) {
    float kept0[10];
    float r0 = -INFINITY;
    int32_t nan0 = 0;
    #pragma omp simd reduction(larger:r0) reduction(|:nan0)
    for (long i1 = 0; i1 < 10; i1++) {
      const float t0 = p0[10 * i0 + i1];
      const float t1 = p1[i1];
      const float t2 = (float)(t0 + t1);
      r0 = t2 > r0 ? t2 : r0;
      nan0 |= t2 != t2;
    }
    if (nan0) r0 = NAN;
    float r1 = 0;
    #pragma omp simd reduction(+:r1)
    for (long i1 = 0; i1 < 10; i1++) {
      const float t3 = p0[10 * i0 + i1];
      const float t4 = p1[i1];
      const float t5 = (float)(t3 + t4);
      const float t6 = (float)(t5 - r0);
      const float t7 = (float)(exponentialf(t6));
      r1 = (float)(r1 + t7);
      kept0[i1] = t7;
    }
    #pragma omp simd
    for (long i1 = 0; i1 < 10; i1++) {
      const float t8 = kept0[i1];
      const float t9 = (float)(t8 / r1);
      o0[10 * i0 + i1] = t9;
      const float t10 = p2[10 * i0 + i1];
      const float t11 = (float)(t9 - t10);
      o1[10 * i0 + i1] = t11;
      o2[i1] = (float)(o2[i1] + t11);
    }
  }
}
/* ---- */
/* mul over [20, 64] */
KERNEL void k1(const float *restrict p0, float *restrict o0) {
  for (long b0 = 0; b0 < 20; b0 += 32) {
    const long e0 = b0 + 32 < 20 ? b0 + 32 : 20;
    for (long b1 = 0; b1 < 64; b1 += 32) {
      const long e1 = b1 + 32 < 64 ? b1 + 32 : 64;
      float q0[1024];
      transpose_f32(e1 - b1, e0 - b0, (const float *)(p0 + b0 + 20 * b1), 20, (float *)q0, 32);
      for (long i0 = b0; i0 < e0; i0++) {
      #pragma omp simd
      for (long i1 = b1; i1 < e1; i1++) {
        const float t0 = q0[(i0 - b0) * 32 + i1 - b1];
        const float t1 = (float)(t0 * t0);
        o0[64 * i0 + i1] = t1;
      }
      }
    }
  }
}
/* ---- */

#define BLASINT int
typedef void (*gemm_f32)(int, int, int, BLASINT, BLASINT, BLASINT, float, const float *, BLASINT, const float *, BLASINT,
                         float, float *, BLASINT);
typedef void (*gemv_f32)(int, int, BLASINT, BLASINT, float, const float *, BLASINT, const float *, BLASINT, float, float *,
                         BLASINT);
static gemm_f32 blas_gemm_f32;
static gemv_f32 blas_gemv_f32;

KERNEL void product_f32(int tx, int ty, long m, long k, long n, const float *x, const float *y, float *z) {
  enum { ROWS = 101, PLAIN = 111, TRANSPOSED = 112 };
  if (m == 0 || n == 0) return;
  if (k == 0 || n == 1 || m == 1) memset(z, 0, m * n * sizeof(float));
  if (k == 0) return;
  if (n == 1)
    blas_gemv_f32(ROWS, tx ? TRANSPOSED : PLAIN, tx ? k : m, tx ? m : k, 1, x, tx ? m : k, y, 1, 0, z, 1);
  else if (m == 1)
    blas_gemv_f32(ROWS, ty ? PLAIN : TRANSPOSED, ty ? n : k, ty ? k : n, 1, y, ty ? k : n, x, 1, 0, z, 1);
  else
    blas_gemm_f32(ROWS, tx ? TRANSPOSED : PLAIN, ty ? TRANSPOSED : PLAIN, m, n, k, 1, x, tx ? m : k, y, ty ? k : n, 0,
                  z, n);
}

typedef void (*gemm_f64)(int, int, int, BLASINT, BLASINT, BLASINT, double, const double *, BLASINT, const double *, BLASINT,
                         double, double *, BLASINT);
typedef void (*gemv_f64)(int, int, BLASINT, BLASINT, double, const double *, BLASINT, const double *, BLASINT, double, double *,
                         BLASINT);
static gemm_f64 blas_gemm_f64;
static gemv_f64 blas_gemv_f64;

KERNEL void product_f64(int tx, int ty, long m, long k, long n, const double *x, const double *y, double *z) {
  enum { ROWS = 101, PLAIN = 111, TRANSPOSED = 112 };
  if (m == 0 || n == 0) return;
  if (k == 0 || n == 1 || m == 1) memset(z, 0, m * n * sizeof(double));
  if (k == 0) return;
  if (n == 1)
    blas_gemv_f64(ROWS, tx ? TRANSPOSED : PLAIN, tx ? k : m, tx ? m : k, 1, x, tx ? m : k, y, 1, 0, z, 1);
  else if (m == 1)
    blas_gemv_f64(ROWS, ty ? PLAIN : TRANSPOSED, ty ? n : k, ty ? k : n, 1, y, ty ? k : n, x, 1, 0, z, 1);
  else
    blas_gemm_f64(ROWS, tx ? TRANSPOSED : PLAIN, ty ? TRANSPOSED : PLAIN, m, n, k, 1, x, tx ? m : k, y, ty ? k : n, 0,
                  z, n);
}

void link_blas(void *const *functions) {
  blas_gemm_f32 = (gemm_f32)functions[0];
  blas_gemm_f64 = (gemm_f64)functions[1];
  blas_gemv_f32 = (gemv_f32)functions[2];
  blas_gemv_f64 = (gemv_f64)functions[3];
}

int run(void *const *a, char *w, int threads) {
  product_f32(0, 0, 64, 20, 10, a[0], a[1], ((void *)(w + 0)));
  k0(((void *)(w + 0)), a[2], a[3], a[4], ((void *)(w + 2560)), a[5]);
  product_f32(0, 1, 64, 10, 20, ((void *)(w + 2560)), a[1], ((void *)(w + 5120)));
  k1(((void *)(w + 5120)), a[6]);
  return 0;
}
