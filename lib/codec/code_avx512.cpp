// The loops for CPUs with AVX-512 F, BW, DQ and VL.
#define MERE_CPU_CODE kAvx512Code
#define MERE_CPU_NAME "avx512"
#include "codec/cpu_code_body.inc"
