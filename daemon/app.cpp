// daemon/app.cpp: every object of the daemon, built once, in the order in which they depend on each other.
#include "daemon/app.hpp"

#include "cache/artifacts/artifact_store.hpp"
#include "cache/blobs/blob_store.hpp"
#include "cache/db/db.hpp"
#include "cache/db/migrate.hpp"
#include "cache/journal/journal.hpp"
#include "cache/outbox/outbox.hpp"
#include "daemon/endpoint.hpp"
#include "daemon/facts.hpp"
#include "daemon/install.hpp"
#include "daemon/notify.hpp"
#include "daemon/render.hpp"
#include "daemon/schedule.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/fluxconfig/fluxconfig.hpp"
#include "modules/fluxconfig/generate.hpp"
#include "modules/http/client.hpp"
#include "modules/http/server.hpp"
#include "modules/kube/client.hpp"
#include "modules/reconcile/kustomization.hpp"
#include "modules/source/git_repository.hpp"
#include "modules/uplink/drain.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>

#include <csignal>
#include <cstdlib>
#include <malloc.h>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

using model::Key;
using model::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kArea = "daemon";
constexpr std::size_t kWatchesMax = 128;
constexpr std::int64_t kReserveShare = 8;  // of the disk: one part of eight is never given away
constexpr seconds kTidyEvery{30};
constexpr std::chrono::hours kRemoteAgeMin{24};  // a remote base that no Kustomization uses is kept that long
constexpr seconds kLookForClusterEvery{10};
constexpr std::chrono::nanoseconds kLateMax = std::chrono::minutes{10};

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "unknown";
}

/// The pod's own account when there is one, else what the configuration names; nothing at all is a state, not an error.
Result<std::optional<kube::Config>> cluster_config(Config const& config) {
    if (!config.kubeconfig.empty()) {
        auto loaded = kube::load_kubeconfig(config.kubeconfig, config.kube_context);
        if (!loaded) return fail(std::move(loaded), "kubeconfig");
        return std::optional{std::move(*loaded)};
    }
    char const* const host = std::getenv("KUBERNETES_SERVICE_HOST");
    char const* const port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (host == nullptr || port == nullptr) return std::optional<kube::Config>{};
    auto loaded = kube::in_cluster_config(host, port);
    if (!loaded) return fail(std::move(loaded), "service account");
    return std::optional{std::move(*loaded)};
}

uplink::Settings uplink_settings(Config const& config, std::string const& site) {
    uplink::Settings settings;
    if (!config.uplink_enabled) return settings;
    settings.principal.login_authority = config.azure_login_endpoint;
    settings.principal.tenant = config.azure_tenant_id;
    settings.principal.client_id = config.azure_client_id;
    settings.principal.scope = config.azure_scope;
    if (config.azure_client_certificate_file.empty()) {
        settings.principal.secret_file = config.azure_client_secret_file;
    } else {
        settings.principal.certificate_file = config.azure_client_certificate_file;
        settings.principal.key_file = config.azure_client_certificate_file;
    }
    settings.ingestion.endpoint = config.uplink_endpoint;
    settings.ingestion.rule_id = config.uplink_rule_id;
    settings.transport.ca_file = config.uplink_ca_file;
    settings.transport.proxy.https_proxy = config.uplink_proxy;
    settings.transport.proxy.http_proxy = config.uplink_proxy;
    settings.compliance_stream = config.uplink_compliance_stream;
    settings.object_status_stream = config.uplink_object_stream;
    settings.site = site;
    return settings;
}

/// Flux objects that a Kustomization applied count for the configuration they belong to.
std::vector<fluxconfig::Child> flux_children(reconcile::OwnedObjects const& owned, Key const& key) {
    std::vector<fluxconfig::Child> children;
    for (reconcile::Known const* known : owned.of(key)) {
        auto const id = kube::parse_object_id(known->object.entry.id);
        if (!id || !id->group.ends_with(".toolkit.fluxcd.io")) continue;
        children.push_back({id->kind, id->ns, id->name, known->ready});
    }
    return children;
}

class App {
public:
    App(StartOptions options, sandbox::Zygote& zygote, std::unique_ptr<cache::BlobStore> blobs,
        cache::db::Connection database)
        : config_(std::move(options.config)), confinement_(options.confinement), log_(log_settings(config_), clock_),
          started_(clock_.wall()),
          // What is kept: one connection, used by one thread.
          blobs_(std::move(blobs)), database_(std::move(database)), db_(1),
          pool_(static_cast<std::size_t>(config_.fetches_max) + 1),
          outbox_(database_, {.rows_max = config_.outbox_rows_max, .bytes_max = config_.disk_bytes_max / 4},
                  [this] { return clock_.wall(); }),
          journal_(database_, outbox_), artifacts_(database_, *blobs_, config_.revisions_kept),
          // What talks to others.
          http_(io_.get_executor()), server_(io_.get_executor(), {}), tasks_(io_.get_executor(), 64),
          remotes_({pool_, db_, artifacts_, log_, clock_}, scratch(), stop_.get_token()),
          renderer_(io_.get_executor(), pool_, artifacts_, config_.no_remote_bases ? nullptr : &remotes_, zygote,
                    static_cast<std::size_t>(config_.render_jobs_max),
                    static_cast<std::uint64_t>(config_.render_memory_bytes_max)) {}

    Result<int> run() {
        auto opened = outbox_.open();
        if (!opened) return fail(std::move(opened), "database");
        connect();
        build();
        auto restored = restore();
        if (!restored) return fail(std::move(restored), "database");
        auto listening = listen();
        if (!listening) return fail(std::move(listening), "status endpoint");
        start();
        manager_.ready("running");
        io_.run();
        db_.join();
        pool_.join();
        return exit_code_;
    }

private:
    /// A client for the API server, when one is configured. A broken kubeconfig is a problem on the status page.
    void connect() {
        auto config = cluster_config(config_);
        if (config && *config) {
            auto client = kube::Client::make(io_.get_executor(), http_, std::move(**config));
            if (client) {
                cluster_ = std::move(*client);
                return;
            }
            cluster_problem_ = client.error().message;
        } else if (!config) {
            cluster_problem_ = config.error().message;
        }
        if (!cluster_problem_.empty()) log_.error(kArea, cluster_problem_);
    }

    story::Ports story_ports() { return {registry_, cluster_.get(), journal_, db_, log_, clock_}; }

    void build() {
        story::Ports const ports = story_ports();
        owned_ = std::make_unique<reconcile::OwnedObjects>(
            reconcile::OwnedObjects::Ports{io_.get_executor(), cluster_.get(), log_, clock_}, kWatchesMax);
        sources_ = std::make_unique<source::GitRepositories>(
            ports, pool_, artifacts_,
            source::GitRepositories::Settings{.scratch = scratch(),
                                              .wire_bytes_max = static_cast<std::uint64_t>(config_.git_bytes_max)},
            stop_.get_token());
        kustomizations_ = std::make_unique<reconcile::Kustomizations>(
            ports, renderer_, *owned_, reconcile::Kustomizations::Settings{},
            reconcile::Kustomizations::Hooks{.kinds_changed = [this] { cluster_->forget_discovery(); },
                                             .source_damaged =
                                                 [this](Key const& source) {
                                                     if (sources_->distrust(source)) schedule_->want(source);
                                                 }});
        configs_ = std::make_unique<fluxconfig::FluxConfigs>(
            ports, [this](Key const& key) { return flux_children(*owned_, key); });
        drain_ = std::make_unique<uplink::Drain>(uplink::Drain::Ports{http_, outbox_, db_, pool_, clock_, log_},
                                                 uplink_settings(config_, outbox_.site()), io_.get_executor());
        schedule_ =
            std::make_unique<Schedule>(io_.get_executor(), clock_,
                                       Schedule::Bounds{.sources = static_cast<std::size_t>(config_.fetches_max),
                                                        .kustomizations = static_cast<std::size_t>(config_.passes_max)},
                                       [this](Key key) { return tell_story(std::move(key)); });
        if (cluster_) {
            intake_ = std::make_unique<intake::ClusterIntake>(
                io_.get_executor(), *cluster_, registry_, log_,
                intake::ClusterIntake::Listeners{.adopted = [this](model::Entry const& entry) { adopt(entry); },
                                                 .listed = [this](Kind) { want_confirmed(); }});
        }
        registry_.listen([this](model::Entry const& entry, model::Change change) { heard(entry, change); });
        owned_->listen([this](Key const& owner, reconcile::OwnedObjects::Change) { schedule_->want(owner); });
    }

    /// A wish of the cluster that only the journal knows is shown, not acted upon: it may be suspended, changed or
    /// deleted since. A configuration also needs what it generated.
    bool is_confirmed(Key const& key) const {
        model::Entry const* entry = registry_.find(key);
        if (!intake_ || entry == nullptr || entry->meta.origin != model::Origin::cluster) return true;
        if (key.kind != Kind::flux_config) return intake_->has_listed(key.kind);
        return intake_->has_listed(Kind::flux_config) && intake_->has_listed(Kind::kustomization) &&
               intake_->has_listed(Kind::git_repository);
    }

    void want_confirmed() {
        for (auto const& [key, entry] : registry_.all()) {
            if (entry->meta.origin == model::Origin::cluster && is_confirmed(key)) schedule_->want(key);
        }
    }

    static asio::awaitable<story::Next> tell_later() { co_return story::Next{}; }  // want_confirmed() brings it back

    asio::awaitable<story::Next> tell_story(Key key) {
        if (!is_confirmed(key)) return tell_later();
        switch (key.kind) {
            case Kind::git_repository: return sources_->reconcile(std::move(key));
            case Kind::kustomization: return kustomizations_->reconcile(std::move(key));
            case Kind::flux_config: return configs_->reconcile(std::move(key));
        }
        std::abort();
    }

    /// Who has to look again when an object changed.
    void heard(model::Entry const& entry, model::Change change) {
        if (change == model::Change::wish) schedule_->want(entry.key);
        drain_->poke();
        if (entry.key.kind == Kind::git_repository) {
            if (change == model::Change::status && entry.status.conditions.find("FetchFailed") == nullptr)
                drain_->network_is_back();
            for (auto const& [key, other] : registry_.all()) {
                if (key.kind != Kind::kustomization || !other->spec) continue;
                auto const& spec = other->spec_as<model::KustomizationSpec>();
                if (spec.source.ns == entry.key.ns && spec.source.name == entry.key.name) schedule_->want(key);
            }
        }
        if (entry.key.kind == Kind::kustomization && change == model::Change::status) {
            for (auto const& [key, other] : registry_.all()) {
                if (key.kind != Kind::kustomization || !other->spec) continue;
                for (auto const& dependency : other->spec_as<model::KustomizationSpec>().depends_on) {
                    if (dependency.ns == entry.key.ns && dependency.name == entry.key.name) schedule_->want(key);
                }
            }
        }
        auto const config = entry.meta.labels.find(std::string{fluxconfig::kNameLabel});
        if (config != entry.meta.labels.end()) schedule_->want({Kind::flux_config, entry.key.ns, config->second});
    }

    /// An object that Flux applied before us brings its inventory along, so that pruning goes on where Flux stopped.
    void adopt(model::Entry const& entry) {
        if (entry.key.kind != Kind::kustomization || entry.status.inventory.empty()) return;
        std::vector<model::OwnedObject> rows;
        for (auto const& one : entry.status.inventory) rows.push_back({.entry = one});
        owned_->load(entry.key, rows);
    }

    Result<void> restore() {
        auto entries = journal_.load();
        if (!entries) return fail(std::move(entries));
        for (model::JournalEntry const& entry : *entries) {
            auto put = intake::restore(registry_, entry);
            if (!put) log_.error(kArea, put.error().message);
            if (entry.key.kind == Kind::git_repository) sources_->load(entry);
            if (entry.key.kind == Kind::kustomization) kustomizations_->load(entry);
            if (entry.key.kind == Kind::flux_config) configs_->load(entry);
        }
        // Only now: it takes what was restored from a file for its own.
        local_ = std::make_unique<intake::LocalIntake>(config_.manifests, registry_, log_);
        return {};
    }

    Result<void> listen() {
        add_routes(server_, [this] { return snapshot(); }, [this] { return !stopping_; });
        auto socket = server_.listen_unix(default_socket(config_));
        if (!socket) return fail(std::move(socket), "status.socket");
        if (!config_.status_listen) return {};
        ListenAddress address = *config_.status_listen;
        auto bound = server_.listen_tcp(address.host, address.port);
        if (!bound) return fail(std::move(bound), "status.listen");
        address.port = *bound;
        log_.info(kArea, "status endpoint ready",
                  {{"url", "http://" + address.text() + "/"}, {"socket", default_socket(config_)}});
        return {};
    }

    void start() {
        git::clean_scratch(scratch());
        start_task("schedule", schedule_->run());
        start_task("uplink", drain_->run());
        start_task("manifests", local_->run());
        start_task("tidy", tidy());
        if (manager_.watchdog()) start_task("watchdog", feed_watchdog(*manager_.watchdog() / 3));
        if (cluster_ && config_.install_crds) start_task("install", install_then_watch());
        else if (intake_) intake_->start();
        if (!cluster_ && !config_.kubeconfig.empty()) start_task("cluster", look_for_cluster());
        asio::co_spawn(io_, stop_on_signal(), [](std::exception_ptr) {});
    }

    void start_task(std::string name, asio::awaitable<void> task) {
        auto started = tasks_.start(std::move(name), std::move(task));
        if (!started) log_.error(kArea, started.error().message);
    }

    /// A kubeconfig that was missing or wrong at start may be put right: everything is built anew with it, in this process.
    asio::awaitable<void> look_for_cluster() {
        for (;;) {
            co_await sleep_for(kLookForClusterEvery);
            auto config = cluster_config(config_);
            if (!config || !*config) continue;
            log_.info(kArea, "the kubeconfig can be read now: starting over with it");
            exit_code_ = kStartOver;
            std::raise(SIGTERM);
            co_return;
        }
    }

    asio::awaitable<void> install_then_watch() {
        for (;;) {
            auto installed = co_await install_crds(*cluster_);
            if (installed) break;
            log_.error(kArea, "CRDs not installed, will be", {{"error", installed.error().message}});
            co_await sleep_for(seconds{10});
        }
        cluster_->forget_discovery();
        intake_->start();
    }

    /// What was refused a place or an answer before gets it now; what nobody needs any more goes.
    asio::awaitable<void> tidy() {
        for (;;) {
            co_await sleep_for(kTidyEvery);
            std::vector<Key> owed;
            std::set<std::string> in_use;
            for (auto const& [key, entry] : registry_.all()) {
                if (entry->status_owed) owed.push_back(key);
                if (entry->status.artifact) in_use.insert(entry->status.artifact->digest);
            }
            story::Ports ports = story_ports();
            for (Key const& key : owed) co_await story::pay_status(ports, key);
            std::set<std::string> remotes;
            for (std::string const& key : kustomizations_->remotes()) remotes.insert(std::string{kRemoteSource} + key);
            auto collect = [this, in_use = std::move(in_use),
                            remotes = std::move(remotes)]() -> Result<cache::Collected> {
                auto forgotten =
                    artifacts_.forget_others(std::string{kRemoteSource}, remotes, clock_.wall() - kRemoteAgeMin);
                if (!forgotten) return fail(std::move(forgotten));
                return artifacts_.collect(in_use);
            };
            auto collected = co_await on_pool(db_, std::move(collect));
            if (!collected) log_.error(kArea, "unused artifacts not removed", {{"error", collected.error().message}});
            ::malloc_trim(0);
        }
    }

    /// Fed only while the loop turns, the database answers and no story is far behind its time.
    asio::awaitable<void> feed_watchdog(std::chrono::microseconds every) {
        for (;;) {
            auto look = [this] { return outbox_.state(); };
            auto state = co_await on_pool(db_, std::move(look));
            bool const healthy = state.has_value() || state.error().code != Errc::corrupt;
            if (healthy && schedule_->lateness() < kLateMax) manager_.progress();
            std::string const line = std::string{model::compliance_name(state_word())} + ", " +
                                     (state ? std::to_string(state->waiting) : std::string{"?"}) + " records wait";
            manager_.status(line);
            co_await sleep_for(every);
        }
    }

    model::Compliance state_word() const {
        status::Snapshot snapshot;
        add_objects(snapshot, registry_, *owned_);
        return snapshot.state();
    }

    asio::awaitable<void> stop_on_signal() {
        asio::signal_set signals{io_, SIGTERM, SIGINT};
        co_await signals.async_wait(asio::use_awaitable);
        log_.info(kArea, "stopping");
        manager_.stopping();
        stopping_ = true;
        stop_.request_stop();
        // Whatever does not end in time is abandoned: the journal is whole after every transaction.
        auto limit = std::make_shared<asio::steady_timer>(io_, milliseconds{1'700});
        limit->async_wait([this, limit](boost::system::error_code ec) {
            if (ec) return;
            log_.warning(kArea, "not everything ended in time", {{"running", tasks_.running()}});
            ::_exit(exit_code_ == kStartOver ? 1 : 0);  // the service manager starts it over
        });
        co_await schedule_->stop();
        if (intake_) co_await intake_->stop();
        co_await owned_->stop();
        tasks_.cancel();
        co_await tasks_.join();
        co_await server_.stop(milliseconds{200});
        http_.close_idle();
        limit->cancel();
        log_.info(kArea, "stopped");
        io_.stop();
    }

    asio::awaitable<status::Snapshot> snapshot() {
        auto ask = [this] { return outbox_.state(); };
        auto queue = co_await on_pool(db_, std::move(ask));
        status::Snapshot snapshot;
        snapshot.version = HOLDFAST_VERSION;
        snapshot.site = config_.site_name.empty() ? host_name() : config_.site_name;
        snapshot.now = clock_.wall();
        snapshot.started_at = started_;
        snapshot.seccomp = confinement_.seccomp;
        snapshot.landlock_abi = confinement_.landlock_abi;
        snapshot.memory_bytes_max = config_.memory_bytes_max;
        snapshot.memory_bytes_used = resident_bytes();
        snapshot.disk_bytes_max = config_.disk_bytes_max;
        snapshot.disk_bytes_used = static_cast<std::int64_t>(blobs_->bytes_used());
        snapshot.passes = schedule_->passes();
        snapshot.manifests = config_.manifests;
        snapshot.problems = local_->problems();
        if (!cluster_problem_.empty()) snapshot.problems.push_back(cluster_problem_);
        add_objects(snapshot, registry_, *owned_);
        add_cluster(snapshot, cluster_.get(), intake_.get(), *owned_, cluster_problem_);
        add_outbox(snapshot, queue);
        uplink::UplinkState const& link = drain_->state();
        snapshot.uplink = {.state = std::string{uplink::to_string(link.word)},
                           .success_at = link.last_success,
                           .error = link.last_error,
                           .next_try_at = link.next_try,
                           .sent = static_cast<std::int64_t>(link.sent_total),
                           .identity_expires_at = link.identity_expires};
        co_return snapshot;
    }

    std::filesystem::path scratch() const { return std::filesystem::path{config_.state_dir} / "tmp"; }

    Config config_;
    sandbox::Confinement confinement_;
    SystemClock clock_;
    Log log_;
    model::WallTime started_;
    std::stop_source stop_;
    bool stopping_ = false;
    int exit_code_ = 0;

    std::unique_ptr<cache::BlobStore> blobs_;
    cache::db::Connection database_;
    asio::io_context io_{1};
    asio::thread_pool db_;
    asio::thread_pool pool_;
    cache::Outbox outbox_;
    cache::Journal journal_;
    cache::ArtifactStore artifacts_;

    http::Client http_;
    http::Server server_;
    std::unique_ptr<kube::Client> cluster_;
    std::string cluster_problem_;
    ServiceManager manager_;

    TaskGroup tasks_;
    model::Registry registry_;
    RemoteCache remotes_;
    WorkerRenderer renderer_;
    std::unique_ptr<reconcile::OwnedObjects> owned_;
    std::unique_ptr<source::GitRepositories> sources_;
    std::unique_ptr<reconcile::Kustomizations> kustomizations_;
    std::unique_ptr<fluxconfig::FluxConfigs> configs_;
    std::unique_ptr<uplink::Drain> drain_;
    std::unique_ptr<Schedule> schedule_;
    std::unique_ptr<intake::ClusterIntake> intake_;
    std::unique_ptr<intake::LocalIntake> local_;
};

}  // namespace

std::string default_socket(Config const& config) {
    if (!config.status_socket.empty()) return config.status_socket;
    // systemd's RuntimeDirectory=holdfast
    if (char const* const runtime = std::getenv("RUNTIME_DIRECTORY")) return std::string{runtime} + "/holdfast.sock";
    return config.state_dir + "/holdfast.sock";
}

Result<int> run_daemon(StartOptions options, sandbox::Zygote& zygote) {
    auto const uplink = uplink_settings(options.config, "site").check();
    if (!uplink) return fail(Errc::invalid_input, "uplink: " + uplink.error().message);
    std::filesystem::path const state{options.config.state_dir};
    std::error_code ec;
    std::filesystem::create_directories(state / "tmp", ec);
    if (ec) return fail(Errc::denied, "state_dir " + state.string() + ": " + ec.message());
    auto const share = options.config.disk_bytes_max - options.config.disk_bytes_max / 4 -
                       options.config.disk_bytes_max / kReserveShare;
    auto blobs = cache::BlobStore::open(state / "blobs", static_cast<std::uint64_t>(share));
    if (!blobs) return fail(std::move(blobs), "state_dir " + state.string());
    auto database = cache::db::Connection::open(state / "holdfast.db");
    if (!database) return fail(std::move(database), "state_dir " + state.string());
    auto migrated = cache::db::migrate(*database);
    if (!migrated) return fail(std::move(migrated), "database");
    App app{std::move(options), zygote, std::move(*blobs), std::move(*database)};
    return app.run();
}

}  // namespace holdfast::daemon
