#pragma once
// Memory that a process only has because its start read it: pages of the program and its libraries.

namespace forebay {

/// Gives the kernel back every page of code and constants that this process has mapped. What is used again comes back from the page
/// cache by itself, a few dozen pages at a time; the rest no longer counts as this process's memory. For processes that wait most of
/// their life: a start runs through the constructors and relocations of forty libraries. Any thread; takes under a millisecond.
void let_go_of_clean_pages();

}  // namespace forebay
