// The loops for CPUs with AVX2.
#define MERE_CPU_CODE kAvx2Code
#define MERE_CPU_NAME "avx2"
#include "codec/cpu_code_body.inc"
