#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace forebay {

void panic(std::string_view what, const char* file, int line) {
    std::fprintf(stderr, "level=error event=panic at=%s:%d why=\"%.*s\"\n", file, line, static_cast<int>(what.size()), what.data());
    std::fflush(stderr);
    std::abort();
}

}  // namespace forebay
