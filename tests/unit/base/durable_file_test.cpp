#include "base/durable_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace forebay {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(DurableFile, is_replaced_as_a_whole_and_its_folder_is_made) {
    auto folder = (std::filesystem::temp_directory_path() / ("forebay-durable-" + std::to_string(::getpid()))).string();
    auto path = folder + "/a/b/note.json";
    ASSERT_TRUE(replace_file(path, "a long text\n"));
    ASSERT_TRUE(replace_file(path, "short\n"));
    EXPECT_EQ(text_of(path), "short\n");
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
    EXPECT_TRUE(remove_file(path));
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(remove_file(path)) << "it is gone, which is what was wanted";
    std::filesystem::remove_all(folder);
}

TEST(DurableFile, says_what_could_not_be_written) {
    auto failed = replace_file("/proc/nowhere/note", "x");
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().find("/proc/nowhere"), std::string::npos) << failed.error();
}

}  // namespace
}  // namespace forebay
