// daemon/app.cpp: every object of the daemon, built once, in the order in which they depend on each other.
#include "daemon/app.hpp"

#include "cache/artifacts/artifact_store.hpp"
#include "cache/blobs/blob_store.hpp"
#include "cache/db/db.hpp"
#include "cache/db/rescue.hpp"
#include "cache/journal/journal.hpp"
#include "cache/outbox/outbox.hpp"
#include "daemon/budget.hpp"
#include "daemon/connections.hpp"
#include "daemon/endpoint.hpp"
#include "daemon/facts.hpp"
#include "daemon/fetch.hpp"
#include "daemon/housekeeping.hpp"
#include "daemon/install.hpp"
#include "daemon/mode.hpp"
#include "daemon/notify.hpp"
#include "daemon/queue_desk.hpp"
#include "daemon/render.hpp"
#include "daemon/schedule.hpp"
#include "daemon/wiring.hpp"
#include "modules/base/on_pool.hpp"
#include "modules/http/client.hpp"
#include "modules/http/server.hpp"
#include "modules/kube/client.hpp"
#include "modules/patch/selector.hpp"
#include "modules/uplink/drain.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>

#include <csignal>
#include <cstdlib>
#include <unistd.h>

namespace holdfast::daemon {

namespace {

using model::Key;
using model::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kArea = "daemon";
constexpr std::size_t kWatchesMax = 128;
constexpr std::size_t kMemoryPerObject = 8u << 10;  // its name, status and inventory, and its part of all else
constexpr std::int64_t kDatabaseShare = 3;          // of the disk: the most that the database file may take
constexpr std::int64_t kReserveShare = 8;           // of the disk: one part of eight is never given away
constexpr seconds kLookForClusterEvery{10};
constexpr seconds kLookForModeEvery{2};
constexpr seconds kLookAtQueueEvery{2};
constexpr std::chrono::nanoseconds kLateMax = std::chrono::minutes{10};

std::string host_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "unknown";
}

std::string site_name(Config const& config) { return config.site_name.empty() ? host_name() : config.site_name; }

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
    settings.site_name = site_name(config);
    return settings;
}

access::Locks locks_of(Config const& config, model::Registry const& registry) {
    access::Lock flags;
    flags.no_cross_namespace_refs = config.no_cross_namespace_refs;
    flags.no_remote_bases = config.no_remote_bases;
    flags.default_service_account = config.default_service_account;
    flags.default_decryption_service_account = config.default_decryption_service_account;
    flags.default_kubeconfig_service_account = config.default_kubeconfig_service_account;
    access::Locks locks{std::move(flags), config.multi_tenancy, &registry};
    if (auto const mode = mode_named(config.mode)) locks.hold_to(*mode);
    return locks;
}

fluxconfig::FluxConfigs::Settings config_settings(Config const& config) {
    fluxconfig::FluxConfigs::Settings settings{.multi_tenancy = config.multi_tenancy};
    if (auto const selector = patch::LabelSelector::parse(config.watch_label_selector))
        settings.carried_labels = selector->keys();
    return settings;
}

Schedule::Bounds bounds_of(Config const& config) {
    Schedule::Bounds bounds{};
    bounds.fill(4);
    bounds[static_cast<std::size_t>(model::Class::source)] = static_cast<std::size_t>(config.fetches_max);
    bounds[static_cast<std::size_t>(model::Class::applier)] = static_cast<std::size_t>(config.passes_max);
    return bounds;
}

/// Two thirds of the memory are for wishes, of which a namespace alone may have three quarters; one wish weighs 32 KiB on
/// average before their number counts.
model::WishLimits wish_limits(Budget const& budget) {
    return {.count_max = budget.memory / kMemoryPerObject, .bytes_max = budget.wishes};
}

class App {
public:
    App(StartOptions options, sandbox::Zygote& zygote, std::unique_ptr<cache::BlobStore> blobs,
        cache::db::Connection database, std::string database_problem)
        : config_(std::move(options.config)), budget_(budget_of(static_cast<std::size_t>(config_.memory_bytes_max))),
          confinement_(options.confinement), log_(log_settings(config_), clock_), started_(clock_.wall()),
          // What is kept: one connection, used by one thread.
          blobs_(std::move(blobs)), database_(std::move(database)), database_problem_(std::move(database_problem)),
          db_(1), network_(static_cast<std::size_t>(config_.fetches_max + config_.render_jobs_max)), pool_(2),
          outbox_(database_, {.rows_max = config_.outbox_rows_max, .bytes_max = config_.disk_bytes_max / 4},
                  [this] { return clock_.wall(); }),
          journal_(database_, outbox_), artifacts_(database_, *blobs_, config_.revisions_kept),
          // What talks to others.
          http_(io_.get_executor()), server_(io_.get_executor(), {}), tasks_(io_.get_executor(), 64), hosts_(clock_),
          fetch_workers_(zygote), remotes_({network_, db_, artifacts_, hosts_, log_, clock_}, scratch(),
                                           http::Reach::of_content(config_.networks_allowed), stop_.get_token(),
                                           [this](kustomize::Remote const& remote, source::RemoteOptions options) {
                                               options.fetch_commit = fetch_commit();
                                               return source::fetch_remote(remote, options);
                                           }),
          work_(io_.get_executor(), budget_.work),
          renderer_({.executor = io_.get_executor(),
                     .pool = pool_,
                     .store = artifacts_,
                     .remotes = remotes_,
                     .zygote = zygote,
                     .work = work_,
                     .is_shared = [this] { return registry_.namespaces() > 1; }},
                    budget_, static_cast<std::size_t>(config_.render_jobs_max)) {}

    Result<int> run() {
        if (!database_problem_.empty()) log_.error(kArea, database_problem_);
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
        network_.join();
        pool_.join();
        return exit_code_;
    }

private:
    /// A client for the API server, when one is configured. A broken kubeconfig is a problem on the status page.
    void connect() {
        auto config = cluster_config(config_);
        if (config && *config) {
            auto client = kube::Client::make(io_.get_executor(), http_, std::move(**config),
                                             {.object_bytes_max = budget_.api_object});
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
        auto const executor = io_.get_executor();
        owned_ = std::make_unique<rollout::OwnedObjects>(
            rollout::OwnedObjects::Ports{executor, cluster_.get(), log_, clock_}, kWatchesMax);
        drain_ = std::make_unique<uplink::Drain>(uplink::Drain::Ports{http_, outbox_, db_, pool_, clock_, log_},
                                                 uplink_settings(config_, outbox_.site()), executor);
        if (cluster_) {
            remote_clusters_ = std::make_unique<access::Remotes>(
                remote_ports(executor, http_, *cluster_, http::Reach::of_source(config_.networks_allowed), clock_));
        }
        access_ = std::make_unique<access::Access>(
            access::Access::Own{cluster_.get(),
                                [this](std::string user) -> std::shared_ptr<kube::Cluster> {
                                    return cluster_->as(std::move(user), {});
                                },
                                [this] { cluster_->forget_discovery(); }},
            locks_, remote_clusters_.get());
        stories_ = std::make_unique<Stories>(
            Stories::Parts{.ports = story_ports(),
                           .executor = executor,
                           .pool = network_,
                           .access = *access_,
                           .artifacts = artifacts_,
                           .hosts = hosts_,
                           .renderer = renderer_,
                           .owned = *owned_,
                           .configs = config_settings(config_),
                           .git = {.scratch = scratch(),
                                   .wire_bytes_max = static_cast<std::uint64_t>(config_.git_bytes_max),
                                   .reach = http::Reach::of_source(config_.networks_allowed)},
                           .fetch_commit = fetch_commit(),
                           .oci = {.scratch = scratch(),
                                   .wire_bytes_max = static_cast<std::uint64_t>(config_.git_bytes_max),
                                   .reach = http::Reach::of_source(config_.networks_allowed)},
                           .fetch_image = fetch_image(),
                           .stop = stop_.get_token(),
                           .want = [this](Key const& key) { schedule_->want(key); }});
        schedule_ = std::make_unique<Schedule>(executor, clock_, bounds_of(config_),
                                               [this](Key key) { return pass(std::move(key)); });
        wakes_ = std::make_unique<Wakes>(registry_, locks_, *schedule_, *drain_);
        housekeeping_ = std::make_unique<Housekeeping>(
            Housekeeping::Parts{.ports = story_ports(),
                                .artifacts = artifacts_,
                                .owned = *owned_,
                                .remotes = [this] { return stories_->kustomizations().remotes(); },
                                .another_cluster = [this] { start_anew(); },
                                .reclaim =
                                    [this](Key const& key, model::Status const& shown) {
                                        bool const reclaimed = stories_->passes().of(key.kind).reclaim(key, shown);
                                        if (reclaimed) schedule_->want(key);
                                        return reclaimed;
                                    },
                                .state_dir = config_.state_dir});
        if (cluster_) {
            intake_ = std::make_unique<intake::ClusterIntake>(
                executor, *cluster_, registry_, log_, config_.watch_label_selector,
                intake::ClusterIntake::Listeners{
                    .adopted =
                        [this](model::Entry const& entry) { stories_->passes().of(entry.key.kind).adopt(entry); },
                    .listed = [this](Kind kind) { start_task("mode", confirm(kind)); },
                    .unseen = [this](Kind kind) { wakes_->without(kind); },
                    .copy_differs =
                        [this](model::Entry const& entry, model::Status const& shown) {
                            // Told at once: no pass begins in between.
                            if (!housekeeping_->may_repair(entry.key, shown)) return;
                            start_task("copy of " + entry.key.text(), housekeeping_->write_copy(entry.key));
                        }});
            wakes_->follow_cluster();
        }
        registry_.listen([this](model::Entry const& entry, model::Change change) { wakes_->heard(entry, change); });
        owned_->listen([this](rollout::Owner const& owner, rollout::OwnedObjects::Change change, rollout::Boot in) {
            wakes_->heard(owner, change, in);
        });
    }

    static asio::awaitable<story::Next> not_yet() { co_return story::Next{}; }  // Wakes::confirm() brings it back

    asio::awaitable<story::Next> pass(Key key) {
        return wakes_->is_confirmed(key) ? stories_->passes().run(std::move(key)) : not_yet();
    }

    /// A kind was listed. Whoever installed its definition has chosen the mode before: only then is anything done for it.
    asio::awaitable<void> confirm(Kind kind) {
        co_await learn_mode();
        wakes_->confirm(kind);
    }

    asio::awaitable<void> learn_mode() {
        while (!mode_named(config_.mode)) {
            auto chosen = co_await chosen_mode(*cluster_);
            if (chosen) {
                locks_.hold_to(chosen->value_or(access::Mode::flux));
                co_return;
            }
            if (chosen.error().code == Errc::denied) {
                log_.error(kArea,
                           "it cannot be read which mode was chosen: azure holds until the setting `mode` names one",
                           {{"error", chosen.error().message}});
                locks_.hold_to(access::Mode::azure);
                co_return;
            }
            log_.warning(kArea, "the mode is not known yet", {{"error", chosen.error().message}});
            co_await sleep_for(kLookForModeEvery);
        }
    }

    /// Another cluster answers: nothing that was applied is known to be there.
    void start_anew() {
        owned_->forget_cluster();
        stories_->kustomizations().forget_cluster();
        start_task("mode", learn_mode());
        for (auto const& [key, entry] : registry_.all()) schedule_->want(key);
    }

    Result<void> restore() {
        auto loaded = journal_.load([this](model::JournalEntry const& entry) {
            auto put = intake::restore(registry_, entry);
            if (!put) log_.error(kArea, put.error().message);
            else stories_->passes().of(entry.key.kind).load(entry);
        });
        if (!loaded) return loaded;
        // Only now: it takes what was restored from a file for its own.
        local_ = std::make_unique<intake::LocalIntake>(config_.manifests, registry_, log_);
        return {};
    }

    Result<void> listen() {
        add_routes(
            server_, [this] { return snapshot(); },
            [this] { return stopping_ ? std::string{"stopping"} : disk_problem_; },
            [this](std::string request) { return answer_about_queue(std::move(request)); });
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

    Task<std::string> answer_about_queue(std::string request) {
        auto ask = [this, request = std::move(request)] { return answer_queue(outbox_, request); };
        auto answer = co_await on_pool(db_, std::move(ask));
        drain_->poke();  // what was put back is due
        co_return answer;
    }

    void start() {
        git::clean_scratch(scratch());
        start_task("schedule", schedule_->run());
        start_task("uplink", drain_->run());
        start_task("queue", watch_queue());
        start_task("manifests", local_->run());
        start_task("housekeeping", housekeeping_->run());
        if (manager_.watchdog()) start_task("watchdog", feed_watchdog(*manager_.watchdog() / 3));
        if (cluster_) start_task("cluster identity", housekeeping_->check_cluster(cluster_.get()));
        if (cluster_ && config_.install_crds) start_task("install", install_then_watch());
        else if (intake_) intake_->start();
        if (!cluster_ && !config_.kubeconfig.empty()) start_task("cluster", look_for_cluster());
        auto started = lifecycle_.start("lifecycle", stop_in_order());
        if (!started) log_.error(kArea, started.error().message);
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
            signals_.cancel();
            co_return;
        }
    }

    asio::awaitable<void> install_then_watch() {
        for (;;) {
            auto installed = co_await install_crds(*cluster_, std::nullopt);
            if (installed) break;
            log_.error(kArea, "CRDs not installed, will be", {{"error", installed.error().message}});
            co_await sleep_for(seconds{10});
        }
        cluster_->forget_discovery();
        intake_->start();
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

    asio::awaitable<void> watch_queue() {
        for (;;) {
            co_await sleep_for(kLookAtQueueEvery);
            auto look = [this] { return outbox_.state(); };
            auto state = co_await on_pool(db_, std::move(look));
            look_at_queue(state);
        }
    }

    /// Said once when it begins and once when it ends, and for as long as it lasts on the page and in the exit code.
    void look_at_queue(Result<uplink::QueueState> const& state) {
        if (state && std::exchange(queue_is_full_, state->refusing) != state->refusing) {
            auto const level = state->refusing ? LogLevel::error : LogLevel::info;
            log_.write(level, kArea,
                       state->refusing ? "the queue for Azure is full: changes are not recorded"
                                       : "the queue for Azure has room again",
                       {{"waiting", std::to_string(state->waiting)}, {"refused", std::to_string(state->refused)}});
        }
        std::string const problem = first_unrecorded();
        if (problem != disk_problem_ && !problem.empty()) log_.error(kArea, problem);
        if (problem.empty() && !disk_problem_.empty()) log_.info(kArea, "the disk has room again");
        disk_problem_ = problem;
    }

    /// An object whose pass could not be journalled says why; of a full disk one word for all of them is enough.
    std::string first_unrecorded() const {
        for (auto const& [key, entry] : registry_.all()) {
            if (!entry->unrecorded.empty()) return "not recorded: " + entry->unrecorded;
        }
        return "";
    }

    std::vector<std::string> problems() const {
        std::vector<std::string> all = local_->problems();
        if (!cluster_problem_.empty()) all.push_back(cluster_problem_);
        if (!database_problem_.empty()) all.push_back(database_problem_);
        if (!disk_problem_.empty()) all.push_back(disk_problem_);
        if (queue_is_full_) all.push_back("the queue for Azure is full: changes are not recorded");
        return all;
    }

    model::Compliance state_word() const {
        status::Snapshot snapshot;
        snapshot.problems = problems();
        add_objects(snapshot, registry_, *owned_);
        return snapshot.state();
    }

    /// Waits for SIGTERM, SIGINT or our own wish to start over, then takes everything down in reverse.
    asio::awaitable<void> stop_in_order() {
        boost::system::error_code ignored;
        co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
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
        snapshot.site = site_name(config_);
        snapshot.now = clock_.wall();
        snapshot.started_at = started_;
        snapshot.seccomp = confinement_.seccomp;
        snapshot.landlock_abi = confinement_.landlock_abi;
        snapshot.landlock_scopes = confinement_.landlock_scopes;
        snapshot.workers_die_first = confinement_.dies_first;
        snapshot.memory_bytes_max = config_.memory_bytes_max;
        snapshot.memory_bytes_used = resident_bytes();
        snapshot.disk_bytes_max = config_.disk_bytes_max;
        snapshot.disk_bytes_used = static_cast<std::int64_t>(blobs_->bytes_used());
        snapshot.passes = schedule_->passes();
        snapshot.manifests = config_.manifests;
        snapshot.problems = problems();
        snapshot.crashes = stories_->passes().crashes();
        add_objects(snapshot, registry_, *owned_);
        add_cluster(snapshot, cluster_.get(), intake_.get(), *owned_, cluster_problem_);
        add_outbox(snapshot, queue);
        uplink::UplinkState const& link = drain_->state();
        snapshot.uplink = {.state = std::string{uplink::to_string(link.word)},
                           .success_at = link.last_success,
                           .error = link.last_error,
                           .error_at = link.last_error_at,
                           .next_try_at = link.next_try,
                           .sent = static_cast<std::int64_t>(link.sent_total),
                           .requests = static_cast<std::int64_t>(link.batches_total),
                           .set_aside = static_cast<std::int64_t>(link.set_aside_total),
                           .identity_expires_at = link.identity_expires};
        co_return snapshot;
    }

    source::FetchCommit fetch_commit() {
        return [this](source::CommitWish const& wish, source::CommitPlace const& place,
                      source::ArtifactSink const& sink) { return fetch_workers_.fetch(wish, place, sink); };
    }

    source::FetchImage fetch_image() {
        return [this](source::ImageWish const& wish, source::FetchPlace const& place,
                      source::ArtifactSink const& sink) { return fetch_workers_.fetch(wish, place, sink); };
    }

    std::filesystem::path scratch() const { return std::filesystem::path{config_.state_dir} / "tmp"; }

    Config config_;
    Budget budget_;
    sandbox::Confinement confinement_;
    SystemClock clock_;
    Log log_;
    model::WallTime started_;
    std::stop_source stop_;
    bool stopping_ = false;
    int exit_code_ = 0;

    std::unique_ptr<cache::BlobStore> blobs_;
    cache::db::Connection database_;
    bool queue_is_full_ = false;
    std::string disk_problem_;      // why passes cannot be recorded
    std::string database_problem_;  // what was damaged at the start, for as long as this process runs
    asio::io_context io_{1};
    asio::thread_pool db_;
    asio::thread_pool network_;  // a thread for each fetch, and for each render that fetches remote bases
    asio::thread_pool pool_;     // disk and gzip: what a slow server cannot hold up
    cache::Outbox outbox_;
    cache::Journal journal_;
    cache::ArtifactStore artifacts_;

    http::Client http_;
    http::Server server_;
    std::unique_ptr<kube::Client> cluster_;
    std::string cluster_problem_;
    ServiceManager manager_;

    asio::signal_set signals_{io_, SIGTERM, SIGINT};
    TaskGroup lifecycle_{io_.get_executor(), 1};
    TaskGroup tasks_;
    model::Registry registry_{wish_limits(budget_)};
    access::Locks locks_ = locks_of(config_, registry_);
    source::Hosts hosts_;
    FetchWorkers fetch_workers_;
    source::RemoteCache remotes_;
    ByteBudget work_;
    WorkerRenderer renderer_;
    std::unique_ptr<rollout::OwnedObjects> owned_;
    std::unique_ptr<access::Remotes> remote_clusters_;
    std::unique_ptr<access::Access> access_;
    std::unique_ptr<uplink::Drain> drain_;
    std::unique_ptr<Stories> stories_;
    std::unique_ptr<Schedule> schedule_;
    std::unique_ptr<Wakes> wakes_;
    std::unique_ptr<Housekeeping> housekeeping_;
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
    auto database = cache::db::open_or_rescue(
        state / "holdfast.db", {.database = {.file_bytes_max = options.config.disk_bytes_max / kDatabaseShare},
                                .blobs = state / "blobs",
                                .now = std::chrono::system_clock::now()});
    if (!database) return fail(std::move(database), "state_dir " + state.string());
    std::string problem = database->rescue ? database->rescue->text() : "";
    App app{std::move(options), zygote, std::move(*blobs), std::move(database->connection), std::move(problem)};
    return app.run();
}

}  // namespace holdfast::daemon
