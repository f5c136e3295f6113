// modules/base/limits.hpp: the bound of every loop, queue, read and recursion, in one place.
// A module adds its block here; each limit has a test that hits it.
#pragma once

#include <chrono>
#include <cstddef>

namespace holdfast::limits {

// yaml: one stream
inline constexpr std::size_t kYamlDepthMax = 1'000;            // nesting; go-yaml stops at 10'000
inline constexpr std::size_t kYamlStreamBytesMax = 64u << 20;  // 64 MiB of text
inline constexpr std::size_t kYamlNodesMax = 500'000;  // nodes read; 48 bytes each: a million keys end within 64 MiB
inline constexpr std::size_t kYamlDocumentsMax = 200'000;   // documents of one stream
inline constexpr std::size_t kYamlAliasNodesMax = 400'000;  // nodes made by expanding aliases

// kustomize: one build
inline constexpr std::size_t kKustomizeFileBytesMax = 32u << 20;    // one file
inline constexpr std::size_t kKustomizeTotalBytesMax = 128u << 20;  // all files read, a file read twice counts twice
inline constexpr std::size_t kKustomizeObjectsMax = 50'000;         // objects at any moment of a build
inline constexpr std::size_t kKustomizeDepthMax = 500;              // bases of bases
inline constexpr std::size_t kKustomizeLinksMax = 255;              // symbolic links in one path; as Go's EvalSymlinks
inline constexpr std::size_t kKustomizeDirectoriesMax = 20'000;     // directories remembered
inline constexpr std::size_t kKustomizeEntriesMax = 20'000;         // entries of one directory, and of a generated list
inline constexpr std::size_t kKustomizeArenaBytesMax = 1u << 30;  // nodes of one build; the worker's own limit is lower
inline constexpr std::size_t kKustomizeWarningsMax = 1'000;       // lines; more are dropped
inline constexpr std::size_t kRemoteRoundsMax = 16;               // builds until nothing remote is missing any more
inline constexpr std::size_t kRemotesMax = 64;                    // repositories and files fetched for one build
inline constexpr std::size_t kRemoteBytesMax = 100u << 20;        // 100 MiB, all of them

// text/gotemplate: one execution, unless the caller says otherwise
inline constexpr std::size_t kTemplateStepsMax =
    10'000'000;  // of 0.2 microseconds: nodes evaluated, and work functions charge
inline constexpr std::chrono::seconds kTemplateSlowTimeMax{60};    // CPU time of keys and password hashes, measured
inline constexpr std::size_t kTemplateOutputBytesMax = 64u << 20;  // one output, and any single string
inline constexpr std::size_t kTemplateDepthMax = 100'000;          // {{template}} inside {{template}}, as Go
inline constexpr std::size_t kTemplateStackBytesMax = 6u << 20;    // machine stack

// helm: one chart, one render
inline constexpr std::size_t kChartBytesMax = 100u << 20;    // all files of a chart, unpacked, as Helm
inline constexpr std::size_t kChartFileBytesMax = 5u << 20;  // one file, as Helm
inline constexpr std::size_t kChartFilesMax = 20'000;
inline constexpr std::size_t kChartDepthMax = 32;              // charts in charts
inline constexpr std::size_t kChartInstancesMax = 10'000;      // charts of one render, aliases counted
inline constexpr std::size_t kChartCacheBytesMax = 16u << 20;  // charts kept with their parsed templates
inline constexpr std::size_t kTplCacheBytesMax = 8u << 20;     // texts given to tpl, parsed
inline constexpr std::size_t kTomlDepthMax = 1'000;            // nesting of values of fromToml and toToml
inline constexpr std::size_t kTomlTablesMax = 500'000;         // tables that one fromToml makes

// source: one artifact
inline constexpr std::size_t kArtifactEntriesMax = 50'000;    // files and directories
inline constexpr std::size_t kArtifactBytesMax = 256u << 20;  // 256 MiB of files, unpacked
inline constexpr std::size_t kArtifactPathBytesMax = 4'096;
inline constexpr std::size_t kIgnoreFileBytesMax = 256u << 10;  // one .sourceignore
inline constexpr std::size_t kIgnorePatternsMax = 2'000;        // of all .sourceignore files and spec.ignore

// patch: one merge, one JSON patch, one path
inline constexpr std::size_t kPatchDepthMax = 1'000;            // nesting of an object
inline constexpr std::size_t kPatchStepsMax = 20'000'000;       // nodes and list elements looked at by one merge
inline constexpr std::size_t kPatchMatchesMax = 100'000;        // fields one path names
inline constexpr std::size_t kPatchOperationsMax = 100'000;     // of one JSON patch
inline constexpr std::size_t kPatchCopiedNodesMax = 1'000'000;  // values made by "copy" in one JSON patch
inline constexpr std::size_t kPatchRegexBytesMax = 16'384;      // one pattern
inline constexpr std::size_t kPatchSelectorBytesMax = 65'536;   // one label selector
inline constexpr std::size_t kPatchSchemaBytesMax = 32u << 20;  // an OpenAPI document of a user

// kube: one answer of an API server
inline constexpr std::size_t kJsonDepthMax = 1'000;  // nesting

// git: one fetch; what a single call may use is git::Bounds
inline constexpr std::size_t kGitMemoryBytesMax = 64u << 20;  // libgit2, all fetches together
inline constexpr std::size_t kGitObjectBytesMax = 32u << 20;  // one file, tree or commit, unpacked
inline constexpr std::size_t kGitTreeDepthMax = 128;          // directories in directories
inline constexpr std::size_t kGitPathsBytesMax = 16u << 20;   // all paths of a commit; one is kArtifactPathBytesMax

}  // namespace holdfast::limits
