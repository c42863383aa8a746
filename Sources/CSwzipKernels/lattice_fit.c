// Scales of groups by what every processor has (lattice_fit.h), and probes for them.
#include "lattice_fit.h"

bool swzip_lattice_fit_group_portable(swzip_lattice_type type, const swzip_lattice_search *search, const swzip_lattice_tops *tops,
                                      const void *values, uint32_t count, size_t stride, uint32_t length, uint32_t hint, bool exactly,
                                      swzip_lattice_fit *fit) {
  return lattice_fit_group_by(type, search, tops, values, count, stride, length, hint, exactly, fit);
}

bool swzip_lattice_fit_group(swzip_lattice_type type, const swzip_lattice_search *search, const swzip_lattice_tops *tops,
                             const void *values, uint32_t count, size_t stride, uint32_t length, uint32_t hint, bool exactly,
                             swzip_lattice_fit *fit) {
  const uint64_t had = default_environment();
  const bool fits = swzip_kernels()->lattice_fit_group(type, search, tops, values, count, stride, length, hint, exactly, fit);
  restore_environment(had);
  return fits;
}

double swzip_lattice_simplest(double low, double high, unsigned *bits) {
  uint64_t a, b;
  memcpy(&a, &low, 8);
  memcpy(&b, &high, 8);
  // The upper one cut behind the first bit in which they differ; or the lower one, if that has more zeros.
  uint64_t best = a;
  if (a != b) {
    const int first = 63 - __builtin_clzll(a ^ b);
    best = b & ~(((uint64_t)1 << first) - 1);
    if (a != 0 && __builtin_ctzll(a) > __builtin_ctzll(best)) best = a;
  }
  const uint64_t digits = (best & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
  *bits = 53 - (unsigned)__builtin_ctzll(digits);
  double value;
  memcpy(&value, &best, 8);
  return value;
}

/// Ascending by size, so that what tells most of dense codes comes first.
static void fit_sort(fit_values *values) {
  for (uint32_t i = 1; i < values->count; i++) {
    const float value = values->value[i];
    const double low = values->low[i], high = values->high[i];
    uint32_t j = i;
    for (; j > 0 && values->low[j - 1] > low; j--) {
      values->value[j] = values->value[j - 1];
      values->low[j] = values->low[j - 1];
      values->high[j] = values->high[j - 1];
    }
    values->value[j] = value, values->low[j] = low, values->high[j] = high;
  }
  values->largest = values->count - 1;
}

/// Whether the three smallest values may be integers where the largest is `top`: those tell most, and few tops pass.
static bool may_be_top(const fit_values *values, float top) {
  const uint32_t last = values->largest;
  const double whole = (values->low[last] + values->high[last]) / 2, by = (double)top / whole;
  const double slack = (values->high[last] - values->low[last]) / whole;
  for (uint32_t i = 0, seen = 0; i < last && seen < 3; i++) {
    if (values->value[i] == 0) continue;
    const double x = (values->low[i] + values->high[i]) / 2 * by;
    if (fabs(x - lattice_whole(x)) > x * slack + (values->high[i] - values->low[i]) * by + 1e-6) return false;
    seen++;
  }
  return true;
}

static bool probe_by(const fit_job *job, swzip_lattice_fit *fit) {
  for (uint32_t number = 0; number < job->tops->count; number++) {
    if (job->search->is_integers && !may_be_top(job->values, job->tops->candidate[number])) continue;
    if (fit_top(job, job->values->largest, number, fit)) return true;
  }
  return false;
}

uint32_t swzip_lattice_probe(swzip_lattice_type type, const swzip_lattice_search *const *searches,
                             const swzip_lattice_tops *const *tops, uint32_t books, const void *bytes, size_t stride,
                             uint32_t count, bool *says) {
  fit_values values;
  *says = false;
  if (!fit_load(type, bytes, count, stride, 1, count, &values) || values.others < 4) return 0;
  bool differ = values.zeros != 0;
  for (uint32_t i = 1; i < values.count; i++) differ |= values.value[i] != values.value[0];
  if (!differ) return 0;
  *says = true;
  fit_sort(&values);
  uint32_t sizes = values.zeros == 0, found = 0;
  bool hides = false;
  for (uint32_t i = 1; i < values.count; i++) sizes += fabsf(values.value[i]) != fabsf(values.value[i - 1]);
  const uint64_t had = default_environment();
  for (uint32_t book = 0; book < books; book++) {
    // Few values are multiples of much by chance, where codes are dense.
    const bool is_dense = tops[book]->count > 64 && sizes < count / 2;
    hides |= is_dense;
    if (is_dense || (sizes > tops[book]->count && searches[book]->count < 256)) continue;
    const fit_job job = {type, searches[book], tops[book], &values, 0};
    swzip_lattice_fit fit;
    if (probe_by(&job, &fit)) found |= 1u << book;
  }
  restore_environment(had);
  // What could be those says nothing, unless others fit.
  *says = found != 0 || !hides;
  return found;
}
