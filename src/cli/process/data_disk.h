#pragma once
// Whether the disk under a database server of this machine has room. A server whose disk is full may go on answering every question
// and refuse every row, so that it stays the writer while others could take over.

#include <string>

namespace forebay::cli {

/// Whether a host's name or address is one of this machine's own.
bool is_of_this_machine(const std::string& host);

/// Remembers its last answer: a disk that was found full must have clearly more room before it is not. One thread.
class DataDisk {
  public:
    /// "its disk has 3 MiB left: /var/lib/mysql"; empty where there is room, or where this process cannot see the folder.
    std::string why_full(const std::string& folder);

  private:
    bool is_full_ = false;
};

}  // namespace forebay::cli
