// git_cgi: serves the bare repositories below a folder over smart HTTP, as servers written in Go do; see git_servers.py.
package main

import (
	"bytes"
	"crypto/subtle"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
)

// flushing sends what it is given at once: without that a short answer would get a length.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(piece []byte) (int, error) {
	count, err := f.ResponseWriter.Write(piece)
	f.ResponseWriter.(http.Flusher).Flush()
	return count, err
}

func main() {
	root := flag.String("root", "", "folder of the repositories")
	port := flag.Int("port", 0, "0: any that is free")
	closes := flag.Bool("close", false, "one request a connection")
	whole := flag.Bool("whole", false, "an answer has a length; otherwise it comes in chunks")
	version0 := flag.Bool("v0", false, "only the old protocol")
	anyCommit := flag.Bool("any-commit", false, "what a reference reaches may be asked for by its hash")
	login := flag.String("login", "", "USER:PASSWORD")
	loginForPack := flag.Bool("login-for-pack", false, "the references are for everybody")
	certificate := flag.String("tls", "", "folder with tls.crt and tls.key")
	flag.Parse()
	backend := &cgi.Handler{Path: "/usr/lib/git-core/git-http-backend", Stderr: io.Discard,
		Env: []string{"GIT_PROJECT_ROOT=" + *root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=2",
			"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
			"GIT_CONFIG_KEY_1=uploadpack.allowReachableSHA1InWant", "GIT_CONFIG_VALUE_1=" + strconv.FormatBool(*anyCommit)}}
	serve := func(w http.ResponseWriter, r *http.Request) {
		if rest, moved := strings.CutPrefix(r.URL.Path, "/moved/"); moved {
			http.Redirect(w, r, "/"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
			return
		}
		user, password, _ := r.BasicAuth()
		known := subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(*login)) == 1
		if *login != "" && !known && !(*loginForPack && r.Method == http.MethodGet) {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if *version0 {
			r.Header.Del("Git-Protocol")
		}
		body, err := io.ReadAll(r.Body) // CGI needs the length
		if err != nil {
			return
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		if !*whole {
			backend.ServeHTTP(flushing{w}, r)
			return
		}
		answer := httptest.NewRecorder()
		backend.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: http.HandlerFunc(serve)}
	server.SetKeepAlivesEnabled(!*closes)
	if *certificate != "" {
		err = server.ServeTLS(listener, *certificate+"/tls.crt", *certificate+"/tls.key")
	} else {
		err = server.Serve(listener)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
