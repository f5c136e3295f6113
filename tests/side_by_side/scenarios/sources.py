"""Every property of a GitRepository: valid, invalid, changed, removed; and what its server answers."""
import subprocess

from kustomizations import gone
from scenario import config_map, scenario
from world import PASSWORD, TOKEN, USER

FILES = {"a.yaml": config_map("a")}


@scenario
def git_basics(s):
    s.commit(FILES)
    s.source()
    s.point("fetched")
    s.request("GitRepository", "app")
    s.point("asked, nothing new")
    s.commit({"b.yaml": config_map("b")}, message="a subject\n\nand a body")
    s.point("another commit")
    s.commit({})
    s.point("an empty commit")
    s.delete("GitRepository", "app")
    s.point("deleted", until=gone(s, kind="GitRepository"))


@scenario
def git_url(s):
    s.commit(FILES)
    s.commit({"b.yaml": config_map("b")}, repository="other", poke=False)
    s.source()
    s.point("valid")
    s.source(url=s.url("other"))
    s.point("changed")
    s.source(url=s.url("none"))
    s.point("no such repository")
    s.source(url="ftp://host.example/x")
    s.point("invalid")
    s.source(url="http://127.0.0.1:1/none.git")
    s.point("nobody listens")


@scenario
def git_never_fetched(s):
    s.commit(FILES)
    s.source(url=s.url("none"))
    s.point("failing")
    s.request("GitRepository", "app")
    s.point("asked")
    s.source()
    s.point("mended")


@scenario
def git_empty_repository(s):
    s.repository()
    s.source()
    s.point("nothing in it")
    s.commit(FILES)
    s.point("first commit")


@scenario
def git_branch(s):
    s.commit(FILES)
    s.commit({"b.yaml": config_map("b")}, branch="other")
    s.source()
    s.point("valid")
    s.source(ref={"branch": "other"})
    s.point("changed")
    s.source(ref={"branch": "none"})
    s.point("missing")
    s.source(ref=None)
    s.point("removed: no master")
    s.commit({}, branch="master")
    s.point("removed: a master")


@scenario
def git_tag(s):
    s.commit(FILES, tag="v1.0.0")
    s.commit({"b.yaml": config_map("b")}, tag="v2.0.0")
    s.source(ref={"tag": "v1.0.0"})
    s.point("valid")
    s.source(ref={"tag": "v2.0.0"})
    s.point("changed")
    s.commit({"c.yaml": config_map("c")}, tag="v2.0.0")
    s.point("moved")
    s.source(ref={"tag": "none"})
    s.point("missing")


@scenario
def git_semver(s):
    s.commit(FILES, tag="v1.0.0")
    s.commit({"b.yaml": config_map("b")}, tag="v1.2.0")
    s.source(ref={"semver": ">=1.0.0"})
    s.point("valid")
    s.source(ref={"semver": "1.0.x"})
    s.point("changed")
    s.source(ref={"semver": ">=3.0.0"})
    s.point("no match")
    s.source(ref={"semver": "nonsense"})
    s.point("invalid")
    s.source(ref={"semver": ">=1.0.0"})
    s.commit({}, tag="v1.3.0")
    s.point("a newer tag")


@scenario
def git_commit(s):
    first = s.commit(FILES)
    s.commit({"b.yaml": config_map("b")})
    s.source(ref={"commit": first})
    s.point("alone")
    s.source(ref={"branch": "main", "commit": first})
    s.point("with branch")
    s.source(ref={"branch": "main", "commit": "0" * 40})
    s.point("missing")
    s.source(ref={"commit": "short"})
    s.point("invalid")


@scenario
def git_name(s):
    s.commit(FILES, tag="v1.0.0")
    s.source(ref={"name": "refs/heads/main"})
    s.point("a branch")
    s.source(ref={"name": "refs/tags/v1.0.0"})
    s.point("a tag")
    s.source(ref={"name": "refs/pull/1/head"})
    s.point("missing")
    s.source(ref={"name": "main"})
    s.point("short")


@scenario
def git_password(s):
    s.commit(FILES)
    private = s.url(server="git-private")
    s.source(url=private)
    s.point("without secret")
    s.source(url=private, secretRef={"name": "none"})
    s.point("missing secret")
    s.secret("empty")
    s.source(url=private, secretRef={"name": "empty"})
    s.point("empty secret")
    s.secret("half", username=USER)
    s.source(url=private, secretRef={"name": "half"})
    s.point("no password")
    s.secret("wrong", username=USER, password="wrong")
    s.source(url=private, secretRef={"name": "wrong"})
    s.point("wrong password")
    s.secret("right", username=USER, password=PASSWORD)
    s.source(url=private, secretRef={"name": "right"})
    s.point("right password")
    s.secret("token", bearerToken=TOKEN)
    s.source(url=private, secretRef={"name": "token"})
    s.point("token")
    s.source(secretRef=None)
    s.point("removed")


@scenario
def git_secret_appears(s):
    s.commit(FILES)
    s.source(url=s.url(server="git-private"), secretRef={"name": "late"})
    s.point("missing")
    s.secret("late", username=USER, password=PASSWORD)
    s.request("GitRepository", "app")
    s.point("there")


@scenario
def git_certificate(s):
    s.commit(FILES)
    secured = s.url(server="git-tls")
    s.source(url=secured)
    s.point("unknown authority")
    s.secret("ca", ca__crt=(s.world.git.certificates / "ca.crt").read_text(encoding="ascii"))
    s.source(url=secured, secretRef={"name": "ca"})
    s.point("its authority")
    s.secret("bad", ca__crt="nonsense")
    s.source(url=secured, secretRef={"name": "bad"})
    s.point("no certificate")


@scenario
def git_interval(s):
    s.commit(FILES)
    s.source()
    s.point("valid")
    s.source(interval="2h")
    s.point("changed")
    s.source(interval="often")
    s.point("invalid")
    s.source(interval=None)
    s.point("removed")


@scenario
def git_timeout(s):
    s.commit(FILES)
    s.source(timeout="10s")
    s.point("valid")
    s.source(timeout="1h")
    s.point("hours")
    s.source(timeout=None)
    s.point("removed")


@scenario
def git_ignore(s):
    s.commit({"keep/a.yaml": config_map("a"), "drop/b.yaml": config_map("b"), "logo.png": "x"})
    s.source(ignore="/*\n!/keep\n")
    s.fetched()
    s.kustomization(targetNamespace=s.namespace)
    s.point("valid")
    s.source(ignore="/keep\n")
    s.point("changed")
    s.source()
    s.point("removed")
    s.commit({".sourceignore": "drop\n"})
    s.point("a file in the tree")


@scenario
def git_suspend(s):
    s.commit(FILES)
    s.source()
    s.point("fetched")
    s.source(suspend=True)
    s.commit({"b.yaml": config_map("b")})
    s.point("asked while suspended", quiet_s=4)
    s.source()
    s.point("resumed", until=lambda: "<commit 2>" in s.words.text(str(s.world.store.get("GitRepository", s.namespace, "app")["status"]["artifact"])))


@scenario
def git_suspended_and_deleted(s):
    s.commit(FILES)
    s.source()
    s.point("fetched")
    s.source(suspend=True)
    s.point("suspended")
    s.delete("GitRepository", "app")
    s.point("deleted", until=gone(s, kind="GitRepository"))


@scenario
def git_include(s):
    s.commit(FILES)
    s.commit({"b.yaml": config_map("b")}, repository="other", poke=False)
    s.source(include=[{"repository": {"name": "other"}, "toPath": "other"}])
    s.point("missing")
    s.source("other", url=s.url("other"))
    s.point("there", until=lambda: s.ready("GitRepository", "app"))
    s.source()
    s.point("removed")


@scenario
def git_sparse_checkout(s):
    s.commit({"one/a.yaml": config_map("a"), "two/b.yaml": config_map("b")})
    s.source(sparseCheckout=["one"])
    s.point("valid")
    s.source(sparseCheckout=["none"])
    s.point("missing")
    s.source()
    s.point("removed")


@scenario
def git_recurse_submodules(s):
    s.commit(FILES)
    s.source(recurseSubmodules=True)
    s.point("valid")
    s.source()
    s.point("removed")


@scenario
def git_verify(s):
    keys = s.world.work / "keys" / s.name
    keys.mkdir(parents=True)
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(keys / name)], check=True)
    public = {name: (keys / f"{name}.pub").read_text(encoding="ascii") for name in ("mine", "other")}
    s.commit(FILES)
    s.source(verify={"mode": "HEAD", "secretRef": {"name": "none"}})
    s.point("missing secret")
    s.secret("keys", mine__sshpub=public["mine"])
    s.source(verify={"mode": "HEAD", "secretRef": {"name": "keys"}})
    s.point("not signed")
    s.commit({"b.yaml": config_map("b")}, sign_with=keys / "other")
    s.point("signed by another")
    s.commit({"c.yaml": config_map("c")}, sign_with=keys / "mine")
    s.point("signed")
    s.source(verify={"mode": "Nonsense", "secretRef": {"name": "keys"}})
    s.point("invalid")
    s.source()
    s.point("removed")


@scenario
def git_provider(s):
    s.commit(FILES)
    s.source(provider="generic")
    s.point("valid")
    s.source(provider="github")
    s.point("github without secret")
    s.source(provider="nonsense")
    s.point("invalid")


@scenario
def git_proxy(s):
    s.commit(FILES)
    s.source(proxySecretRef={"name": "none"})
    s.point("missing secret")
    s.secret("proxy", address="http://127.0.0.1:1")
    s.source(proxySecretRef={"name": "proxy"})
    s.point("nobody listens")
    s.source()
    s.point("removed")


@scenario
def git_rewritten_history(s):
    s.commit(FILES)
    s.source()
    s.point("fetched")
    s.repository().git("checkout", "-q", "--orphan", "fresh")
    s.commit({"b.yaml": config_map("b")}, message="from the start")
    s.point("rewritten")
