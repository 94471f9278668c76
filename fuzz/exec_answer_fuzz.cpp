// What exec commands print: a line of jsonl, and the answer to a batch of the SQS event. Every job gets exactly one outcome.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "handlers/exec_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace forebay;
    const auto text = std::string_view(reinterpret_cast<const char*>(data), size);
    static const auto jobs = [] {
        std::vector<worker::Job> made(3);
        for (std::size_t n = 0; n < made.size(); ++n) made[n].message_id = "m" + std::to_string(n);
        return made;
    }();
    const worker::Job* pointers[] = {&jobs[0], &jobs[1], &jobs[2]};
    CHECK(handlers::lambda_outcomes(text, pointers).size() == jobs.size(), "one outcome a job");
    if (auto line = json::parse(text); line.ok()) (void)handlers::jsonl_outcome(*line, "m0");
    return 0;
}
