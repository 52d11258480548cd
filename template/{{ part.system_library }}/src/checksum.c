// The C code of the project. The C compiler checks calls against the header of the library, and
// knows its macros and inline functions; Rust does neither.

#include <lzma.h>

uint32_t sample_checksum(const uint8_t *data, size_t size) {
    return lzma_crc32(data, size, 0);
}
