"""Git servers that people run, on loopback: Apache and nginx before `git http-backend`, and a server written in Go.

    with start("apache", work, repos, Ways(keep_alive=False)) as server: server.url + "/shop.git"

missing(NAME) says which program a server needs that is not here. A URL of SERVER.url + "/moved" is answered with a redirect.
"""
import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import subprocess

from git_http import make_certificates
from harness import eventually

BACKEND = "/usr/lib/git-core/git-http-backend"
APACHE_MODULES = "/usr/lib/apache2/modules"
NEEDS = {"apache": ["apache2"], "nginx": ["nginx", "fcgiwrap"], "go": ["go"]}
LOGIN = "holdfast:correct horse"


@dataclasses.dataclass(frozen=True)
class Ways:
    """How a server treats connections, answers, versions and strangers."""
    keep_alive: bool = True
    chunked: bool = True
    v2: bool = True
    any_commit: bool = False  # what a reference reaches may be asked for by its hash
    login: bool = False
    login_for_pack: bool = False  # the references are for everybody; of "go"
    tls: bool = False
    gzip: bool = False  # of "nginx"

    def __str__(self):
        return " ".join(name if getattr(self, name) else "no " + name for name in ("keep_alive", "chunked", "v2"))


@dataclasses.dataclass
class Server:
    url: str
    ca: str = ""


def missing(name):
    absent = [program for program in NEEDS[name] if not shutil.which(program)]
    return ", ".join(absent) or ("" if os.path.exists(BACKEND) else BACKEND)


def environment(repos, ways):
    pairs = {"GIT_PROJECT_ROOT": repos, "GIT_HTTP_EXPORT_ALL": "1", "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory",
             "GIT_CONFIG_VALUE_0": "*", "GIT_CONFIG_KEY_1": "uploadpack.allowReachableSHA1InWant",
             "GIT_CONFIG_VALUE_1": str(ways.any_commit).lower()}
    return pairs.items()


def free_port():
    """A moment ago nobody had it; the server that gets its number cannot be told to choose."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def write_logins(folder):
    user, password = LOGIN.split(":", 1)
    code = subprocess.run(["openssl", "passwd", "-apr1", password], check=True, capture_output=True, text=True).stdout.strip()
    (folder / "logins").write_text(f"{user}:{code}\n", encoding="ascii")


def apache(folder, repos, ways, port):
    modules = ["mpm_event", "alias", "env", "setenvif", "headers", "cgid", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "ssl",
               "socache_shmcb"]
    lines = [f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in modules]
    lines += [f"ServerRoot {folder}", "ServerName localhost", f"Listen 127.0.0.1:{port}", f"PidFile {folder}/pid", f"ErrorLog {folder}/error.log",
              f"ScriptSock {folder}/cgid", f"KeepAlive {'On' if ways.keep_alive else 'Off'}", "MaxKeepAliveRequests 100", "KeepAliveTimeout 5",
              "SetEnvIf Git-Protocol \"(.*)\" GIT_PROTOCOL=$1" if ways.v2 else "RequestHeader unset Git-Protocol early"]
    lines += ["User www-data", "Group www-data"] if os.geteuid() == 0 else []
    lines += ["SetEnvIf Request_Method . downgrade-1.0"] if not ways.chunked else []
    lines += [f'SetEnv {name} "{value}"' for name, value in environment(repos, ways)]
    lines += ["RedirectMatch 302 ^/moved/(.*)$ /$1", f"ScriptAliasMatch ^/((?!moved/).*)$ {BACKEND}/$1"]
    lines += ["<Location />"] + (["AuthType Basic", "AuthName git", f"AuthUserFile {folder}/logins", "Require valid-user"] if ways.login
                                 else ["Require all granted"]) + ["</Location>"]
    lines += ["SSLEngine On", f"SSLCertificateFile {folder}/tls.crt", f"SSLCertificateKeyFile {folder}/tls.key"] if ways.tls else []
    (folder / "httpd.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
    return [["apache2", "-DFOREGROUND", "-f", str(folder / "httpd.conf")]]


def nginx(folder, repos, ways, port):
    fastcgi = [f"{name} '{value}'" for name, value in environment(repos, ways)]
    fastcgi += [f"SCRIPT_FILENAME {BACKEND}", "PATH_INFO $uri", "QUERY_STRING $args", "REQUEST_METHOD $request_method", "CONTENT_TYPE $content_type",
                "CONTENT_LENGTH $content_length", "HTTP_CONTENT_ENCODING $http_content_encoding", "REMOTE_USER $remote_user"]
    fastcgi += [] if ways.v2 else ["HTTP_GIT_PROTOCOL ''"]
    here = "".join(f"fastcgi_param {one};\n" for one in fastcgi)
    user = "user root;" if os.geteuid() == 0 else ""
    tls = f"ssl_certificate {folder}/tls.crt; ssl_certificate_key {folder}/tls.key;" if ways.tls else ""
    login = f"auth_basic git; auth_basic_user_file {folder}/logins;" if ways.login else ""
    temporary = " ".join(f"{one}_temp_path {folder}/{one};" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"""daemon off; {user} pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
{temporary} access_log off;
keepalive_timeout {30 if ways.keep_alive else 0}; chunked_transfer_encoding {'on' if ways.chunked else 'off'};
gzip {'on' if ways.gzip else 'off'}; gzip_types *; gzip_min_length 1;
server {{
listen 127.0.0.1:{port}{' ssl' if ways.tls else ''}; {tls} {login}
location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
location / {{
fastcgi_pass unix:{folder}/fcgi;
{here}
}} }} }}
""", encoding="ascii")
    return [["fcgiwrap", "-f", "-c", "8", "-s", f"unix:{folder}/fcgi"], ["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]]


def go(folder, repos, ways, port):
    source = pathlib.Path(__file__).resolve().parent / "git_cgi" / "main.go"
    program = folder.parent / "git_cgi"
    if not program.exists():
        subprocess.run(["go", "build", "-o", str(program), str(source)], check=True)
    flags = {"close": not ways.keep_alive, "whole": not ways.chunked, "v0": not ways.v2, "any-commit": ways.any_commit, "login-for-pack": ways.login_for_pack}
    command = [str(program), "-root", str(repos), "-port", str(port)] + ["-" + name for name, wanted in flags.items() if wanted]
    command += ["-login", LOGIN] if ways.login or ways.login_for_pack else []
    command += ["-tls", str(folder)] if ways.tls else []
    return [command]


def end(process):
    """The whole group: fcgiwrap leaves those alone that it has started."""
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)


@contextlib.contextmanager
def start(name, work, repos, ways=Ways()):
    assert not (name == "apache" and not ways.chunked and ways.keep_alive), "HTTP/1.0 knows no kept connection"
    folder = work / f"server-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if ways.tls:
        make_certificates(folder)
    if ways.login:
        write_logins(folder)
    work.chmod(0o755)  # the servers' own users read the repositories
    port = free_port()
    processes = []
    try:
        for command in {"apache": apache, "nginx": nginx, "go": go}[name](folder, repos, ways, port):
            with open(folder / "out", "ab") as out:
                processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True))
        eventually(lambda: answers(port) or any(one.poll() is not None for one in processes), 20, 0.02, name)
        for one in processes:
            assert one.poll() is None, (name, (folder / "out").read_text(errors="replace"))
        yield Server(f"{'https' if ways.tls else 'http'}://localhost:{port}" if ways.tls else f"http://127.0.0.1:{port}",
                     (folder / "ca.crt").read_text(encoding="ascii") if ways.tls else "")
    finally:
        for one in reversed(processes):
            end(one)
