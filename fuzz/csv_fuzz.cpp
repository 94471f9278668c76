// A file of comma-separated values. Every line of it is read or told, and what was read can be written and read again.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "cli/import/csv.h"

namespace {

using namespace forebay::cli;

/// A file in memory, by the name that this process has for it.
class Held {
  public:
    explicit Held(std::string_view bytes) : descriptor_(::memfd_create("csv", MFD_CLOEXEC)) {
        CHECK(::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "a file in memory takes its bytes");
    }
    ~Held() { ::close(descriptor_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = std::string_view(reinterpret_cast<const char*>(data), size);
    Held file(text);
    auto input = Input::open(file.path());
    CHECK(input.ok(), "it is there");
    CsvReader reader(**input, delimiter_of(text));
    CsvRow row;
    std::uint64_t line = 0;
    while (reader.next(row)) {
        CHECK(row.line > line, "rows come in order");
        line = row.line;
        if (!row.problem.empty()) continue;
        std::string written;
        for (const auto& cell : row.cells) {
            if (!written.empty() || &cell != &row.cells[0]) written += ',';
            append_cell(written, guarded(cell));
        }
        Held again(written + "\n");
        auto second = Input::open(again.path());
        CsvReader rereader(**second, ',');
        CsvRow same;
        if (row.cells.size() == 1 && row.cells[0].empty()) continue;
        CHECK(rereader.next(same) && same.problem.empty() && same.cells.size() == row.cells.size(), "what was written can be read");
        for (std::size_t i = 0; i < row.cells.size(); ++i) CHECK(unguarded(same.cells[i]) == row.cells[i], "and is the same");
    }
    CHECK((*input)->offset() == size, "nothing is left over");
    return 0;
}
