#pragma once
// Jobs and a directory of their own, as every test of a handler needs them.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "worker/handler.h"

namespace forebay::handlers {

inline Uuid id_of(unsigned n) {
    char text[40];
    std::snprintf(text, sizeof text, "01926f3a-7c1e-7d20-9f51-%012u", n);
    return *parse_uuid(text);
}

inline worker::Job job(unsigned n, const std::string& email = {}) {
    worker::Job j;
    j.envelope.id = id_of(n);
    j.envelope.endpoint = "lead";
    j.envelope.received_at = {1'789'999'391'482};
    j.envelope.fields.set("email", email.empty() ? "lead" + std::to_string(n) + "@example.com" : email);
    j.envelope.raw_type = "application/json";
    j.envelope.raw = "{}";
    j.envelope.client_ip = "203.0.113.9";
    j.message_id = "message-" + std::to_string(n);
    j.body = record::to_json(j.envelope);
    return j;
}

inline std::vector<worker::Job> jobs(unsigned count, unsigned first = 1) {
    std::vector<worker::Job> out;
    for (unsigned n = first; n < first + count; ++n) out.push_back(job(n));
    return out;
}

class InDirectory : public ::testing::Test {
  protected:
    InDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-handlers-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
    }
    ~InDirectory() override { std::filesystem::remove_all(directory); }
    std::string text(const std::string& file) const {
        std::ifstream in(directory + "/" + file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string directory;
};

}  // namespace forebay::handlers
