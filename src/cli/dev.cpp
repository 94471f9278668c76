// forebay dev: everything on one port set, with a configuration and data of its own in this folder.

#include <fcntl.h>
#include <unistd.h>

#include "base/log_line.h"
#include "cli/process/parent.h"
#include "cli/run_verbs.h"
#include "cli/verb.h"

namespace forebay::cli {
namespace {
constexpr const char* dev_file = "./forebay.toml";

/// Writes the sample configuration unless one is there. False when it cannot be written.
bool write_sample(const std::string& path) {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return errno == EEXIST;
    auto text = default_dev_config();
    bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    return ::close(fd) == 0 && whole;
}
}  // namespace

int run_dev(Invocation& invocation) {
    ParentOptions options;
    options.dev = true;
    options.environment = invocation.globals().environment;
    options.file = configuration_file(invocation.load_options()).value_or(dev_file);
    if (invocation.globals().file.empty() && !write_sample(options.file)) {
        invocation.terminal().complain("cannot write " + options.file + " here; go to a folder you may write in, or name a file with -c");
        return exit_code::io;
    }
    auto configuration = invocation.configuration();
    if (!configuration) return exit_code::configuration;
    set_log(configuration->log.level, configuration->log.format);
    return run_parent_process(*configuration, options);
}

}  // namespace forebay::cli
