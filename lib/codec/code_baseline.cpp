// The loops for every CPU of the architecture (x86-64: SSE2).
#define MERE_CPU_CODE kBaselineCode
#define MERE_CPU_NAME "baseline"
#include "codec/cpu_code_body.inc"
