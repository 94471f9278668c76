#include "base/clean_pages.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace forebay {
namespace {

/// Segments that cannot be written hold what the file holds, so dropping them loses nothing. What the loader wrote into and then
/// protected (RELRO) belongs to a segment that can.
int let_go_of_object(dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        auto begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
        auto end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz + page - 1) / page * page;
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void let_go_of_clean_pages() { ::dl_iterate_phdr(let_go_of_object, nullptr); }

}  // namespace forebay
