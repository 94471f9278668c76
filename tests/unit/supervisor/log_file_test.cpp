#include "supervisor/log_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "supervisor/child_log.h"

namespace forebay::supervisor {
namespace {

class Files : public ::testing::Test {
  protected:
    Files() {
        std::string pattern = (std::filesystem::temp_directory_path() / "forebay-log-XXXXXX").string();
        directory = ::mkdtemp(pattern.data());
        path = directory + "/a.log";
    }
    ~Files() override { std::filesystem::remove_all(directory); }

    std::string text(const std::string& suffix = "") const {
        std::ifstream in(path + suffix);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    bool exists(const std::string& suffix) const { return std::filesystem::exists(path + suffix); }

    std::string directory, path;
    LogFiles files;
};

TEST_F(Files, a_full_log_becomes_dot_1_and_the_oldest_goes) {
    auto file = files.at(path, {10, 2});
    for (auto* line : {"first 56\n", "second 7\n", "third 67\n", "fourth 7\n"}) file->write(line);
    EXPECT_EQ(text(), "fourth 7\n");
    EXPECT_EQ(text(".1"), "third 67\n");
    EXPECT_EQ(text(".2"), "second 7\n");
    EXPECT_FALSE(exists(".3"));
}

TEST_F(Files, a_log_reaches_its_size_and_not_a_byte_more) {
    auto file = files.at(path, {10, 1});
    file->write("1234\n");
    file->write("6789\n");
    EXPECT_FALSE(exists(".1"));
    file->write("1\n");
    EXPECT_EQ(text(".1"), "1234\n6789\n");
    EXPECT_EQ(text(), "1\n");
}

TEST_F(Files, a_line_longer_than_the_log_has_one_to_itself) {
    auto file = files.at(path, {10, 3});
    file->write("short\n");
    file->write("longer than ten bytes\n");
    file->write("short\n");
    EXPECT_EQ(text(".2"), "short\n");
    EXPECT_EQ(text(".1"), "longer than ten bytes\n");
    EXPECT_EQ(text(), "short\n");
}

TEST_F(Files, without_backups_a_full_log_begins_anew) {
    auto file = files.at(path, {10, 0});
    file->write("first 56\n");
    file->write("second 7\n");
    EXPECT_EQ(text(), "second 7\n");
    EXPECT_FALSE(exists(".1"));
}

TEST_F(Files, without_a_size_a_log_grows) {
    auto file = files.at(path, {0, 10});
    for (int i = 0; i < 1000; ++i) file->write("a line of some length\n");
    EXPECT_EQ(text().size(), 22'000u);
    EXPECT_FALSE(exists(".1"));
}

TEST_F(Files, what_is_there_already_counts) {
    std::ofstream(path) << "from before\n";
    files.at(path, {16, 1})->write("and now\n");
    EXPECT_EQ(text(".1"), "from before\n");
    EXPECT_EQ(text(), "and now\n");
}

TEST_F(Files, those_who_share_a_log_lose_and_split_no_line_when_it_rotates) {
    constexpr int lines = 2000;
    ChildLog one(files.at(path, {4096, 100}), LogStyle::plain, 1, "a:1", false);
    ChildLog two(files.at(path, {4096, 100}), LogStyle::plain, 2, "a:2", false);
    for (int i = 0; i < lines; ++i) {
        one.add("one " + std::to_string(i) + " half");
        two.add("two " + std::to_string(i) + "\n");
        one.add(" whole\n");
    }
    std::vector<std::string> found;
    for (int n = 100; n >= 0; --n) {
        std::istringstream in(text(n == 0 ? "" : "." + std::to_string(n)));
        for (std::string line; std::getline(in, line);) found.push_back(line);
    }
    ASSERT_EQ(found.size(), 2u * lines);
    for (int i = 0; i < lines; ++i) {
        EXPECT_EQ(found[2 * i], "two " + std::to_string(i));
        EXPECT_EQ(found[2 * i + 1], "one " + std::to_string(i) + " half whole");
    }
    EXPECT_TRUE(exists(".10"));
}

TEST_F(Files, a_log_that_was_cut_by_somebody_goes_on) {
    auto file = files.at(path, {20, 1});
    file->write("twelve bytes\n");
    std::filesystem::resize_file(path, 0);
    file->write("after the cut\n");
    EXPECT_EQ(text(), "after the cut\n");
    EXPECT_FALSE(exists(".1"));
}

TEST_F(Files, a_log_that_was_moved_away_stays_what_it_is) {
    auto file = files.at(path, {30, 3});
    file->write("twelve bytes\n");
    std::filesystem::rename(path, path + ".old");
    file->write("to the old one, full\n");  // and with it the size is reached: the path is opened anew
    file->write("here\n");
    EXPECT_EQ(text(".old"), "twelve bytes\n");
    EXPECT_EQ(text(), "to the old one, full\nhere\n");
    EXPECT_FALSE(exists(".1"));
}

TEST_F(Files, a_device_is_not_rotated_and_one_that_is_full_harms_nobody) {
    std::filesystem::create_symlink("/dev/full", path);
    auto file = files.at(path, {10, 3});
    for (int i = 0; i < 10; ++i) file->write("nothing takes this\n");
    EXPECT_TRUE(std::filesystem::is_symlink(path));
    EXPECT_FALSE(exists(".1"));
}

TEST_F(Files, a_pipe_that_nobody_reads_holds_up_nobody) {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    files.at(path, {})->write("unheard\n");
}

/// A bound on the size of files stands for a full disk: it too takes the beginning of a line and refuses the rest.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &limit_);
        rlimit full{bytes, limit_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &full);
    }
    ~FullDisk() {
        ::setrlimit(RLIMIT_FSIZE, &limit_);
        std::signal(SIGXFSZ, before_);
    }

  private:
    void (*before_)(int);
    rlimit limit_{};
};

TEST_F(Files, a_full_disk_keeps_whole_lines_only_and_what_comes_after_it_is_written) {
    auto file = files.at(path, {0, 0});
    std::string line = std::string(999, 'x') + "\n";
    {
        FullDisk disk(4500);
        for (int i = 0; i < 10; ++i) file->write(line);
    }
    EXPECT_EQ(text().size(), 4000u);
    file->write("there is room\n");
    EXPECT_EQ(text().substr(4000), "there is room\n");
}

}  // namespace
}  // namespace forebay::supervisor
