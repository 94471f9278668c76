#pragma once
// What `generate` makes: files on standard output, or where --out says.

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/verb.h"

namespace forebay::cli {

constexpr mode_t for_the_owner = 0600, for_all = 0644, to_run = 0755;

struct Made {
    std::string name, text;
    mode_t mode;
};

/// All of them in `folder`, or one at `path`.
int write_all(Invocation& invocation, const std::vector<Made>& files, const std::string& out, bool is_folder);
int show(Invocation& invocation, const std::vector<Made>& files);

}  // namespace forebay::cli
