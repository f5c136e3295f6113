// tests/unit/modules/kustomize/remote_test.cpp: URLs read as kustomize reads them; builds over repositories that were handed in.
#include "modules/kustomize/remote.hpp"
#include "modules/kustomize/tree_text.hpp"
#include "tests/unit/modules/kustomize/memory_tree.hpp"

#include <catch2/catch.hpp>

namespace holdfast::kustomize {

using namespace std::chrono_literals;

TEST_CASE("kustomize: a Git URL is split as NewRepoSpecFromURL splits it", "[kustomize][remote]") {
    // Source: kustomize v5.8.1 api/internal/git/repospec_test.go, TestNewRepoSpecFromUrl_Smoke.
    struct Row {
        char const *url, *host, *repo_path, *path, *ref;
    };
    for (auto const& [url, host, repo_path, path, ref] :
         {Row{"https://git-codecommit.us-east-2.amazonaws.com/someorg/somerepo/somedir",
              "https://git-codecommit.us-east-2.amazonaws.com/", "someorg/somerepo", "somedir", ""},
          {"https://git-codecommit.us-east-2.amazonaws.com/someorg/somerepo/somedir?ref=testbranch",
           "https://git-codecommit.us-east-2.amazonaws.com/", "someorg/somerepo", "somedir", "testbranch"},
          {"https://fabrikops2.visualstudio.com/someorg/somerepo?ref=master", "https://fabrikops2.visualstudio.com/",
           "someorg/somerepo", "", "master"},
          {"http://github.com/someorg/somerepo/somedir", "https://github.com/", "someorg/somerepo", "somedir", ""},
          {"git@github.com:someorg/somerepo/somedir", "git@github.com:", "someorg/somerepo", "somedir", ""},
          {"http://github.com/someorg/somerepo.git/somedir", "https://github.com/", "someorg/somerepo.git", "somedir",
           ""},
          {"git@github.com:someorg/somerepo.git/somedir", "git@github.com:", "someorg/somerepo.git", "somedir", ""},
          {"git@gitlab2.sqtools.ru:infra/kubernetes/thanos-base.git?ref=v0.1.0",
           "git@gitlab2.sqtools.ru:", "infra/kubernetes/thanos-base.git", "", "v0.1.0"},
          {"git@bitbucket.org:company/project.git//path?ref=branch", "git@bitbucket.org:", "company/project.git",
           "path", "branch"},
          {"git@bitbucket.org/company/project.git//path?ref=branch", "git@bitbucket.org/", "company/project.git",
           "path", "branch"},
          {"ssh://git@bitbucket.org/company/project.git//path?ref=branch", "ssh://git@bitbucket.org/",
           "company/project.git", "path", "branch"},
          {"https://itfs.mycompany.com/collection/project/_git/somerepos", "https://itfs.mycompany.com/",
           "collection/project/_git/somerepos", "", ""},
          {"https://itfs.mycompany.com/collection/project/_git/somerepos?version=v1.0.0", "https://itfs.mycompany.com/",
           "collection/project/_git/somerepos", "", "v1.0.0"},
          {"https://itfs.mycompany.com/collection/project/_git/somerepos/somedir?version=v1.0.0",
           "https://itfs.mycompany.com/", "collection/project/_git/somerepos", "somedir", "v1.0.0"},
          {"git::https://itfs.mycompany.com/collection/project/_git/somerepos", "https://itfs.mycompany.com/",
           "collection/project/_git/somerepos", "", ""},
          {"https://bitbucket.example.com/scm/project/repository.git", "https://bitbucket.example.com/",
           "scm/project/repository.git", "", ""},
          {"ssh://git-codecommit.us-east-2.amazonaws.com/someorg/somerepo/somepath",
           "ssh://git-codecommit.us-east-2.amazonaws.com/", "someorg/somerepo", "somepath", ""},
          {"git@github.com/someorg/somerepo/somepath", "git@github.com:", "someorg/somerepo", "somepath", ""},
          {"https://github.com/kubernetes-sigs/kustomize//examples/multibases/dev/?ref=v1.0.6", "https://github.com/",
           "kubernetes-sigs/kustomize", "examples/multibases/dev/", "v1.0.6"},
          {"file://a/b/c/someRepo.git/somepath?ref=someBranch", "file://", "a/b/c/someRepo.git", "somepath",
           "someBranch"},
          {"file://a/b/c/someRepo//somepath?ref=someBranch", "file://", "a/b/c/someRepo", "somepath", "someBranch"},
          {"file://a/b/c/someRepo?ref=someBranch", "file://", "a/b/c/someRepo", "", "someBranch"},
          {"file:///a/b/c/someRepo?ref=someBranch", "file://", "/a/b/c/someRepo", "", "someBranch"},
          {"ssh://git@github.com/kubernetes-sigs/kustomize//examples/multibases/dev?ref=v1.0.6",
           "git@github.com:", "kubernetes-sigs/kustomize", "examples/multibases/dev", "v1.0.6"},
          {"file:///a/b/c/someRepo", "file://", "/a/b/c/someRepo", "", ""},
          {"file:///", "file://", "/", "", ""},
          {"https://example.org/path/to/repo//examples/multibases/dev", "https://example.org/", "path/to/repo",
           "examples/multibases/dev", ""},
          {"https://example.org/path/to/repo.git/examples/multibases/dev", "https://example.org/", "path/to/repo.git",
           "examples/multibases/dev", ""},
          {"ssh://alice@example.com/path/to/repo//examples/multibases/dev", "ssh://alice@example.com/", "path/to/repo",
           "examples/multibases/dev", ""},
          {"https://authority/org/repo?ref=group/version", "https://authority/", "org/repo", "", "group/version"},
          {"https://authority/org/repo/?ref=includes_git/for_some_reason", "https://authority/", "org/repo", "",
           "includes_git/for_some_reason"},
          {"https://authority/org/repo/?ref=includes.git/for_some_reason", "https://authority/", "org/repo", "",
           "includes.git/for_some_reason"},
          {"https://authority/org/repo/%-invalid-uri-so-not-parsable-by-net/url.Parse", "https://authority/",
           "org/repo", "%-invalid-uri-so-not-parsable-by-net/url.Parse", ""},
          {"ssh://myusername@bitbucket.org/ourteamname/ourrepositoryname.git//path?ref=branch",
           "ssh://myusername@bitbucket.org/", "ourteamname/ourrepositoryname.git", "path", "branch"},
          {"file://git@home/path/to/repository.git//path?ref=branch", "file://", "git@home/path/to/repository.git",
           "path", "branch"},
          {"http://git@home.com/path/to/repository.git//path?ref=branch", "http://git@home.com/",
           "path/to/repository.git", "path", "branch"},
          {"https://git@home.com/path/to/repository.git//path?ref=branch", "https://git@home.com/",
           "path/to/repository.git", "path", "branch"},
          {"ssh://git@ssh.github.com:443/YOUR-USERNAME/YOUR-REPOSITORY.git", "ssh://git@ssh.github.com:443/",
           "YOUR-USERNAME/YOUR-REPOSITORY.git", "", ""},
          {"git@gitlab.com/user:name/YOUR-REPOSITORY.git/path", "git@gitlab.com/", "user:name/YOUR-REPOSITORY.git",
           "path", ""},
          {"git@gitlab.com:gitlab-tests/sample-project.git", "git@gitlab.com:", "gitlab-tests/sample-project.git", "",
           ""},
          {"git@gitlab.com:gitlab-tests/sample-project", "git@gitlab.com:", "gitlab-tests/sample-project", "", ""},
          {"https://username@dev.azure.com/org/project/_git/repo//path/to/kustomization/root",
           "https://username@dev.azure.com/", "org/project/_git/repo", "path/to/kustomization/root", ""},
          {"https://org.visualstudio.com/project/_git/repo/path/to/kustomization/root", "https://org.visualstudio.com/",
           "project/_git/repo", "path/to/kustomization/root", ""},
          {"ssh://org-12345@github.com/kubernetes-sigs/kustomize", "org-12345@github.com:", "kubernetes-sigs/kustomize",
           "", ""},
          {"org-12345@github.com/kubernetes-sigs/kustomize", "org-12345@github.com:", "kubernetes-sigs/kustomize", "",
           ""},
          {"git@gist.github.com:bc7947cb727d7f9217e7862d961a1ffd.git",
           "git@gist.github.com:", "bc7947cb727d7f9217e7862d961a1ffd.git", "", ""},
          {"https://gist.github.com/bc7947cb727d7f9217e7862d961a1ffd.git", "https://gist.github.com/",
           "bc7947cb727d7f9217e7862d961a1ffd.git", "", ""}}) {
        INFO(url);
        auto const repository = parse_repository(url);
        REQUIRE(repository);
        CHECK(repository->host == host);
        CHECK(repository->repo_path == repo_path);
        CHECK(repository->path == path);
        CHECK(repository->ref == ref);
        CHECK(repository->raw == url);
        CHECK(repository->submodules);
        CHECK(repository->timeout == 27s);
    }
}

TEST_CASE("kustomize: a URL's parts may be combined", "[kustomize][remote]") {
    // Source: TestNewRepoSpecFromUrl_Permute.
    struct Host {
        char const *raw, *normalized;
    };
    for (auto const& [raw, normalized] :
         {Host{"gitHub.com/", "https://github.com/"},
          {"github.com:", "https://github.com/"},
          {"http://github.com/", "https://github.com/"},
          {"https://github.com/", "https://github.com/"},
          {"hTTps://github.com/", "https://github.com/"},
          {"https://git-codecommit.us-east-2.amazonaws.com/", "https://git-codecommit.us-east-2.amazonaws.com/"},
          {"https://fabrikops2.visualstudio.com/", "https://fabrikops2.visualstudio.com/"},
          {"ssh://git.example.com:7999/", "ssh://git.example.com:7999/"},
          {"git::https://gitlab.com/", "https://gitlab.com/"},
          {"git::http://git.example.com/", "http://git.example.com/"},
          {"git::https://git.example.com/", "https://git.example.com/"},
          {"git@github.com:", "git@github.com:"},
          {"git@github.com/", "git@github.com:"},
          {"git::git@github.com:", "git@github.com:"},
          {"org-12345@github.com:", "org-12345@github.com:"},
          {"org-12345@github.com/", "org-12345@github.com:"}}) {
        for (std::string const repo : {"someOrg/someRepo", "kubernetes/website"}) {
            for (std::string const path : {"README.md", "foo/krusty.txt", ""}) {
                for (std::string const ref : {"group/version", "someBranch", "master", "v0.1.0", ""}) {
                    auto const url = raw + repo + (path.empty() ? "" : "/" + path) + (ref.empty() ? "" : "?ref=" + ref);
                    INFO(url);
                    auto const repository = parse_repository(url);
                    REQUIRE(repository);
                    CHECK(repository->clone_spec() == normalized + repo);
                    CHECK(repository->path == path);
                    CHECK(repository->ref == ref);
                }
            }
        }
    }
}

TEST_CASE("kustomize: what is no Git URL is refused in kustomize's words", "[kustomize][remote]") {
    // Source: TestNewRepoSpecFromUrlErrors.
    struct Row {
        char const *url, *error;
    };
    for (auto const& [url, error] :
         {Row{"/tmp", "uri looks like abs path"},
          {"../../tmp", "failed to parse scheme"},
          {"src/github.com/org/repo/path", "failed to parse scheme"},
          {"iauhsdiuashduas", "failed to parse scheme"},
          {"htxxxtp://github.com/", "failed to parse scheme"},
          {"ssh://git.example.com", "failed to parse repo path segment"},
          {"git::___", "failed to parse scheme"},
          {"https://host?ref=group/version/minor_version", "failed to parse repo path segment"},
          {"https://github.com/org/repo.git//path/../../exits/repo", "url path exits repo"},
          {"github.com!org/repo.git//path", "failed to parse scheme"},
          {"gh:org/repo", "failed to parse scheme"},
          {"https://github.com/thisisa404.yaml", "failed to parse repo path segment"},
          {"git@scp://github.com/org/repo.git//path", "failed to parse repo path segment"},
          {"git@ssh://github.com/org/repo.git//path", "failed to parse repo path segment"},
          {"file:////tmp//path/to/whatever", "failed to parse repo path segment"}}) {
        INFO(url);
        auto const repository = parse_repository(url);
        REQUIRE_FALSE(repository);
        CHECK(repository.error().message.starts_with(error));
    }
}

TEST_CASE("kustomize: the query of a Git URL says how to fetch", "[kustomize][remote]") {
    // Source: TestParseQuery.
    struct Row {
        char const *query, *ref;
        bool submodules;
        std::chrono::nanoseconds timeout;
    };
    for (auto const& [query, ref, submodules, timeout] :
         {Row{"", "", true, 27s},
          {"ref=v1.0.0", "v1.0.0", true, 27s},
          {"ref=kustomize/v4.5.7", "kustomize/v4.5.7", true, 27s},
          {"version=master", "master", true, 27s},
          {"version=master&ref=v1.0.0", "v1.0.0", true, 27s},
          {"version=master&submodules=", "master", true, 27s},
          {"version=master&submodules=maybe", "master", true, 27s},
          {"version=master&submodules=true", "master", true, 27s},
          {"version=master&submodules=false", "master", false, 27s},
          {"version=master&timeout=", "master", true, 27s},
          {"version=master&timeout=jiffy", "master", true, 27s},
          {"version=master&timeout=0", "master", true, 27s},
          {"version=master&timeout=0s", "master", true, 27s},
          {"version=master&timeout=61", "master", true, 61s},
          {"version=master&timeout=1m1s", "master", true, 61s},
          {"version=master&submodules=false&timeout=1m1s", "master", false, 61s},
          {"ref=a%20b+c", "a b c", true, 27s},
          {"ref=a;b", "", true, 27s},
          {"ref=v1&x=%zz", "", true, 27s},
          {"ref=a&ref=b", "a", true, 27s}}) {
        INFO(query);
        auto const repository = parse_repository("https://github.com/org/repo?" + std::string{query});
        REQUIRE(repository);
        CHECK(repository->ref == ref);
        CHECK(repository->submodules == submodules);
        CHECK(repository->timeout == timeout);
    }
}

TEST_CASE("kustomize: an http or https URL is told from a path", "[kustomize][remote]") {
    for (auto const* url : {"http://host/a.yaml", "https://host:8443/a%20b.yaml", "HTTPS://Host/a", "http:a.yaml",
                            "https://[::1]:80/a"}) {
        INFO(url);
        CHECK(is_remote_file(url));
    }
    for (auto const* path : {"a.yaml", "httpx://host/a", "file:///a", "http", "http://host/%zz", "http://ho st/a",
                             "http://host:x/a", "apiVersion: v1\nurl: http://host", "http://host/a\nb"}) {
        INFO(path);
        CHECK_FALSE(is_remote_file(path));
    }
}

TEST_CASE("kustomize: remotes of one content have one key", "[kustomize][remote]") {
    auto const key = [](char const* url) { return parse_repository(url).value().remote().key(); };
    CHECK(key("github.com/org/repo//a?ref=v1&timeout=3") == "git::https://github.com/org/repo?ref=v1");
    CHECK(key("https://github.com/org/repo//b?ref=v1") == "git::https://github.com/org/repo?ref=v1");
    CHECK(key("https://github.com/org/repo") == "git::https://github.com/org/repo");
    CHECK(key("https://github.com/org/repo?submodules=0&ref=a%26b") ==
          "git::https://github.com/org/repo?submodules=false&ref=a&b");
    CHECK(Remote{.url = "https://host/a"}.key() == "https://host/a");
}

TEST_CASE("kustomize: the text of a tree gives back its files", "[kustomize][remote]") {
    std::string text;
    append_entry(text, TreeEntry::file, "a/b.yaml", "x: 1\n");
    append_entry(text, TreeEntry::link, "link", "a/b.yaml");
    append_entry(text, TreeEntry::directory, "empty", "");
    append_entry(text, TreeEntry::file, "a/none", "");

    auto const tree = read_tree(text);
    REQUIRE(tree);
    CHECK(tree->files == MemoryFiles{{"/a/b.yaml", "x: 1\n"}, {"/a/none", ""}, {"/empty/", ""}});
    CHECK(tree->links == MemoryFiles{{"/link", "a/b.yaml"}});

    for (std::string const bad : {"f", "f 1 1\n", "f 1 1\na", "x 1 1\nab", "f 4 0\n../a", "f 0 0\n",
                                  "f 1 99999999999999999999\na", "f 1 0\naf 1 0\na"}) {
        INFO(bad);
        CHECK_FALSE(read_tree(bad));
    }
}

namespace {

using Tree = std::map<std::string, std::string>;

/// Answers what a build asks for, round by round; counts how often.
class Internet {
public:
    std::map<std::string, Tree> repositories;  // Remote::key() -> files; a text that starts with "-> " is a link
    std::map<std::string, std::string> pages;  // URL -> body
    std::vector<std::string> asked;
    std::size_t rounds = 0;

    std::string build(Tree local, std::string const& directory = "") {
        MemoryTree const tree{std::move(local)};
        Options options;
        options.remotes = &remotes_;
        for (;;) {
            ++rounds;
            auto text = tree.text(directory, options);
            auto const missing = remotes_.take_missing();
            if (missing.empty()) return text;
            REQUIRE(text.starts_with("Error: "));
            for (auto const& remote : missing) answer(remote);
        }
    }

private:
    void answer(Remote const& remote) {
        auto const key = remote.key();
        asked.push_back(key);
        Fetched fetched;
        if (remote.kind == Remote::Kind::file) {
            auto const page = pages.find(key);
            if (page == pages.end()) fetched.status = 404;
            if (page != pages.end()) fetched.content = page->second;
        } else if (auto const found = repositories.find(key); found != repositories.end()) {
            for (auto const& [path, text] : found->second) {
                if (text.starts_with("-> ")) fetched.tree.links["/" + path] = std::string_view{text}.substr(3);
                else fetched.tree.files["/" + path] = text;
            }
        } else {
            fetched.outcome = fail(Errc::offline, "git fetch " + key + ": nobody answers");
        }
        remotes_.add(remote, std::move(fetched));
    }

    Remotes remotes_;
};

Tree resources(std::string const& list) { return {{"kustomization.yaml", "resources: [" + list + "]\n"}}; }

}  // namespace

TEST_CASE("kustomize: all that is missing of a kustomization is asked for in one round", "[kustomize][remote]") {
    Internet internet;
    internet.pages["http://host/file.yaml"] = config_map("file");
    internet.pages["http://host/data"] = "words";
    internet.repositories["git::file:///one?ref=v1"] = {{"base/kustomization.yaml", "resources: [cm.yaml]\n"},
                                                        {"base/cm.yaml", config_map("one")}};
    internet.repositories["git::file:///two"] = {
        {"kustomization.yaml", "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: x-\n"}};

    auto const text = internet.build(
        {{"kustomization.yaml",
          "resources: [\"file:///one//base?ref=v1\", \"http://host/file.yaml\"]\ncomponents: [\"file:///two\"]\n"
          "configMapGenerator: [{name: data, files: [\"http://host/data\"], options: {disableNameSuffixHash: true}}]\n"}});

    CHECK(internet.rounds == 2);
    CHECK(internet.asked.size() == 4);
    CHECK(text.find("name: x-one") != std::string::npos);
    CHECK(text.find("name: x-file") != std::string::npos);
    CHECK(text.find("data: words") != std::string::npos);
}

TEST_CASE("kustomize: a page is not taken for a file, and the repository behind it is asked for",
          "[kustomize][remote]") {
    Internet internet;
    internet.pages["https://host/org/repo//base"] = "<!DOCTYPE html>\n<html></html>\n";
    internet.repositories["git::https://host/org/repo"] = {{"base/kustomization.yaml", "resources: [cm.yaml]\n"},
                                                           {"base/cm.yaml", config_map("one")}};
    CHECK(internet.build(resources("\"https://host/org/repo//base\", \"https://host/org/repo//base/cm.yaml\""))
              .starts_with("Error: "));
    CHECK(internet.rounds == 3);  // the pages, the repository
}

TEST_CASE("kustomize: a repository reads nothing outside of itself", "[kustomize][remote]") {
    Internet internet;
    internet.repositories["git::file:///repo"] = {
        {"up/kustomization.yaml", "resources: [../../local]\n"},
        {"link/kustomization.yaml", "resources: [cm.yaml]\n"},
        {"link/cm.yaml", "-> ../../local/cm.yaml"},
        {"absolute/kustomization.yaml", "resources: [cm.yaml]\n"},
        {"absolute/cm.yaml", "-> /t/local/cm.yaml"},
        {"file/kustomization.yaml", "configMapGenerator: [{name: a, files: [/t/local/cm.yaml]}]\n"},
        {"out", "-> ../t/local"},
        {"sibling/kustomization.yaml", "resources: [cm.yaml]\n"},
        {"sibling/cm.yaml", "-> ../base/cm.yaml"},
        {"base/cm.yaml", config_map("base")},
        {"base/kustomization.yaml", "resources: [link.yaml]\n"},
        {"base/link.yaml", "-> ./cm.yaml"},
        {"alias", "-> base"}};
    Tree local{{"local/kustomization.yaml", "resources: [cm.yaml]\n"}, {"local/cm.yaml", config_map("local")}};
    struct Row {
        char const *path, *error;
    };
    for (auto const& [path, error] :
         {Row{"up", "security; bases in kustomizations found in cloned git repos must be within the repo, but base '"},
          {"link", "security; file '"},
          {"absolute", "security; file '"},
          {"file", "security; file '/t/local/cm.yaml' is not in or below"},
          {"sibling", "is not in or below"},
          {"out", "refers to directory outside of repo"},
          {"none", "no such file or directory"},
          {"base/cm.yaml", "refers to file 'cm.yaml'; expecting directory"}}) {
        INFO(path);
        local["kustomization.yaml"] = "resources: [\"file:///repo//" + std::string{path} + "\"]\n";
        auto const text = internet.build(local);
        CHECK(text.starts_with("Error: "));
        CHECK(text.find(error) != std::string::npos);
    }
    local["kustomization.yaml"] = "resources: [\"file:///repo//alias\"]\n";
    CHECK(internet.build(local).find("name: base") != std::string::npos);
}

TEST_CASE("kustomize: repositories that name each other in a circle are found", "[kustomize][remote]") {
    Internet internet;
    internet.repositories["git::file:///one"] = resources("\"file:///two\"");
    internet.repositories["git::file:///two"] = resources("\"file:///one\"");
    auto const text = internet.build(resources("\"file:///one\""));
    CHECK(text.find("cycle detected: URI 'file:///one' referenced by previous URI 'file:///one'") != std::string::npos);
}

TEST_CASE("kustomize: a shared repository is fetched once", "[kustomize][remote]") {
    Internet internet;
    internet.repositories["git::file:///base"] = {{"kustomization.yaml", "resources: [cm.yaml]\n"},
                                                  {"cm.yaml", config_map("base")}};
    internet.repositories["git::file:///mid"] = {
        {"a/kustomization.yaml", "resources: [\"file:///base\"]\nnamePrefix: a-\n"},
        {"b/kustomization.yaml", "resources: [\"file:///base\"]\nnamePrefix: b-\n"}};
    auto const text = internet.build(resources("\"file:///mid//a\", \"file:///mid//b\""));
    CHECK(internet.asked.size() == 2);
    CHECK(text.find("name: a-base") != std::string::npos);
    CHECK(text.find("name: b-base") != std::string::npos);
}

TEST_CASE("kustomize: a failed fetch ends the build in kustomize's sentence", "[kustomize][remote]") {
    Internet internet;
    CHECK(
        internet.build(resources("\"https://host/org/repo//base\"")) ==
        "Error: accumulating resources: accumulation err='accumulating resources from 'https://host/org/repo//base': URL is a git "
        "repository': git fetch git::https://host/org/repo: nobody answers");
    CHECK(
        internet.build(resources("\"http://host/file.yaml\"")) ==
        "Error: accumulating resources: accumulating resources from 'http://host/file.yaml': HTTP Error: status code 404 (Not Found)");
}

}  // namespace holdfast::kustomize
