package program

import "time"

// Settings is everything that can be set, by environment variables only. The
// tags are the one description of each: docs/settings.md, `clusterbridge
// settings` and the refusal of malformed values are made from them.
//
//   - env, envDefault: the variable, and its value when it is not set;
//   - group, desc: where and how it is explained;
//   - example: a value to copy when there is no telling default;
//   - form: what a value looks like (forms in settings_check.go);
//   - min, max: inclusive bounds of numbers and durations;
//   - secret: never printed; <variable>_FILE names a file with the value.
type Settings struct {
	DatabaseURL string `env:"DATABASE_URL" group:"Where things are" form:"postgres" secret:"true" example:"postgres://clusterbridge:...@127.0.0.1:5432/clusterbridge?sslmode=disable" desc:"The ledger's PostgreSQL. Needed by every verb that reads or writes the ledger."`

	TemporalAddress   string `env:"TEMPORAL_ADDRESS" envDefault:"127.0.0.1:7233" group:"Where things are" form:"address" desc:"Temporal's frontend, host and port."`
	TemporalNamespace string `env:"TEMPORAL_NAMESPACE" envDefault:"default" group:"Where things are" form:"word" desc:"The Temporal namespace. migrate registers it when it is missing."`
	TemporalRetention int    `env:"CLUSTERBRIDGE_TEMPORAL_RETENTION_DAYS" envDefault:"7" min:"1" max:"90" group:"Where things are" desc:"How many days Temporal keeps finished runs, when migrate registers the namespace. The journal in the ledger outlives them."`
	TemporalUI        string `env:"CLUSTERBRIDGE_TEMPORAL_UI" envDefault:"http://127.0.0.1:8233" group:"Where things are" form:"url" desc:"Temporal's Web UI, for the links that the verbs print."`

	ClusterURL     string `env:"CLUSTERBRIDGE_CLUSTER_URL" group:"Where things are" form:"url" example:"https://relay.example.com" desc:"Base URL of Cluster's POS API. Needed by worker, location add, location credentials, connect and export."`
	OfficeURL      string `env:"CLUSTERBRIDGE_CLUSTER_OFFICE_URL" group:"Where things are" form:"url" example:"https://office.example.com" desc:"Base URL of Cluster's back office, which finds venues, activates API access and issues keys. Left out, doubled routes are not watched and credentials are issued by hand."`
	SevenShiftsURL string `env:"CLUSTERBRIDGE_SEVENSHIFTS_URL" envDefault:"https://api.7shifts.com" group:"Where things are" form:"url" desc:"Base URL of 7shifts' API, without a path."`
	WiskURL        string `env:"CLUSTERBRIDGE_WISK_URL" envDefault:"https://api.wisk.ai" group:"Where things are" form:"url" desc:"Base URL of WISK's API, without a path. WISK publishes none; this one is a third party's."`

	Keyset      string `env:"CLUSTERBRIDGE_KEYSET" group:"Secrets and people" secret:"true" example:"(the line that clusterbridge keyset new prints)" desc:"The keyset that seals tokens and keys in the ledger. Needed by worker, location add, location credentials, connect and export. Lost, every token has to be entered again."`
	OfficeKey   string `env:"CLUSTERBRIDGE_CLUSTER_OFFICE_KEY" group:"Secrets and people" secret:"true" example:"(from Cluster's back office)" desc:"The key with which clusterbridge opens Cluster's back office. Needed beside CLUSTERBRIDGE_CLUSTER_OFFICE_URL."`
	CodecKeyset string `env:"CLUSTERBRIDGE_CODEC_KEYSET" group:"Secrets and people" secret:"true" example:"(the line that clusterbridge keyset new --codec prints)" desc:"The keyset that seals the payloads of Temporal's histories; the same for worker, gateway and verbs. Left out, payloads are not sealed: they hold no names, keys or amounts either way."`
	By          string `env:"CLUSTERBRIDGE_BY" group:"Secrets and people" form:"handle" example:"marie" desc:"Your staff handle, for the journal. Left out, it is the name of the operating system's user."`

	Clock     string `env:"CLUSTERBRIDGE_CLOCK" group:"Time and logs" form:"clock" example:"epoch=2026-11-22T09:00:00Z origin=2026-11-03T10:00:00Z speed=60" desc:"Business time. Empty is the machine's clock, which is right everywhere but in demos and tests."`
	LogLevel  string `env:"CLUSTERBRIDGE_LOG_LEVEL" envDefault:"info" form:"debug|info|warn|error" group:"Time and logs" desc:"The least important log line that is written."`
	LogFormat string `env:"CLUSTERBRIDGE_LOG_FORMAT" envDefault:"json" form:"json|text" group:"Time and logs" desc:"How log lines are written, to standard error."`

	ClusterTimeout     time.Duration `env:"CLUSTERBRIDGE_CLUSTER_TIMEOUT" envDefault:"20s" min:"1s" max:"50s" group:"Reading the till" desc:"How long one request to Cluster may take. Below the minute that a step of work has."`
	ClusterPageSize    int           `env:"CLUSTERBRIDGE_CLUSTER_PAGE_SIZE" envDefault:"200" min:"1" max:"500" group:"Reading the till" desc:"Orders asked for per page."`
	ClusterMaxBody     int64         `env:"CLUSTERBRIDGE_CLUSTER_MAX_BODY" envDefault:"16777216" min:"65536" max:"268435456" group:"Reading the till" desc:"The largest answer of Cluster that is read, in bytes."`
	OrdersByModified   bool          `env:"CLUSTERBRIDGE_CLUSTER_ORDERS_BY_MODIFIED" envDefault:"true" group:"Reading the till" desc:"Ask Cluster for orders by when they changed. Assumed of Cluster's API; false reads by opening time and leans on the re-read."`
	GiftCardCategories []string      `env:"CLUSTERBRIDGE_CLUSTER_GIFT_CARD_CATEGORIES" envDefault:"gift-cards" group:"Reading the till" desc:"Ids of menu categories whose lines sell gift cards, which are no sales yet. Comma separated."`
	CardPaymentTypes   []string      `env:"CLUSTERBRIDGE_CLUSTER_CARD_PAYMENT_TYPES" envDefault:"card,credit,debit,visa,mastercard,amex,discover,interac" group:"Reading the till" desc:"Payment types that are cards; only their tips travel. Comma separated."`
	Overlap            time.Duration `env:"CLUSTERBRIDGE_OVERLAP" envDefault:"10m" min:"0s" max:"24h" group:"Reading the till" desc:"How far before the watermark each pull begins, for late edits and a till whose clock is off."`
	RereadDays         int           `env:"CLUSTERBRIDGE_REREAD_DAYS" envDefault:"7" min:"0" max:"60" group:"Reading the till" desc:"How many business days are read again each night and when a till comes back."`

	GatewayListen      string        `env:"CLUSTERBRIDGE_GATEWAY_LISTEN" envDefault:"127.0.0.1:8080" group:"Gateway and metrics" form:"listen" desc:"Where the gateway serves hooks, health and the codec endpoint. Behind a proxy that ends TLS."`
	GatewayAdminListen string        `env:"CLUSTERBRIDGE_GATEWAY_ADMIN_LISTEN" envDefault:"127.0.0.1:9090" group:"Gateway and metrics" form:"listen" desc:"Where the gateway serves /metrics and health, for the team's own machines only. off: nowhere."`
	WorkerListen       string        `env:"CLUSTERBRIDGE_WORKER_LISTEN" envDefault:"off" group:"Gateway and metrics" form:"listen" example:"127.0.0.1:9091" desc:"Where the worker serves /metrics and health, for the team's own machines only. off: nowhere."`
	TrustedProxies     []string      `env:"CLUSTERBRIDGE_GATEWAY_TRUSTED_PROXIES" group:"Gateway and metrics" form:"networks" example:"10.0.0.0/8,192.0.2.7" desc:"Networks and addresses of proxies whose X-Forwarded-For is believed. Comma separated."`
	HookSecrets        []string      `env:"CLUSTERBRIDGE_HOOK_SECRETS" group:"Gateway and metrics" secret:"true" form:"secrets" example:"(what openssl rand -hex 32 prints)" desc:"Secrets with which Cluster signs the hook order-changed, at least 32 characters each; several while one is being replaced. Comma separated, or one a line in the file. Without any the hook is not served."`
	HookTolerance      time.Duration `env:"CLUSTERBRIDGE_HOOK_TOLERANCE" envDefault:"5m" min:"1s" max:"1h" group:"Gateway and metrics" desc:"How far a hook's timestamp may be from the gateway's clock, either way."`
	HookDebounce       time.Duration `env:"CLUSTERBRIDGE_HOOK_DEBOUNCE" envDefault:"5s" min:"100ms" max:"10m" group:"Gateway and metrics" desc:"The least time between two syncs that hooks start for one connection."`
	CodecTokens        []string      `env:"CLUSTERBRIDGE_CODEC_TOKENS" group:"Gateway and metrics" secret:"true" form:"secrets" example:"(what openssl rand -hex 32 prints)" desc:"Tokens that let Temporal's Web UI open sealed payloads, at least 32 characters each. Comma separated, or one a line in the file. Without any, or without CLUSTERBRIDGE_CODEC_KEYSET, the endpoint is not served."`
	CodecOrigins       []string      `env:"CLUSTERBRIDGE_CODEC_ORIGINS" envDefault:"http://127.0.0.1:8233" group:"Gateway and metrics" form:"origins" desc:"Origins of Temporal's Web UI, exactly as the browser states them. Comma separated."`

	TraceEndpoint string   `env:"OTEL_EXPORTER_OTLP_ENDPOINT" group:"Gateway and metrics" form:"url" example:"http://127.0.0.1:4318" desc:"Where traces go, by OTLP over HTTP, from a sync run to the partner's call. Left out, nothing is traced. The exporter reads the other OTEL_EXPORTER_OTLP_* variables by itself."`
	TraceHeaders  []string `env:"OTEL_EXPORTER_OTLP_HEADERS" group:"Gateway and metrics" secret:"true" form:"pairs" example:"api-key=..." desc:"Headers that the collector of traces wants, name=value. Comma separated."`
	TraceService  string   `env:"OTEL_SERVICE_NAME" envDefault:"clusterbridge" group:"Gateway and metrics" form:"word" desc:"How this process is called in traces."`
	TraceShare    float64  `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1" min:"0" max:"1" group:"Gateway and metrics" desc:"Which share of the runs is traced."`

	SyncEvery      time.Duration `env:"CLUSTERBRIDGE_SYNC_EVERY" envDefault:"0s" min:"0s" max:"24h" group:"Schedules and work" desc:"A fixed interval of all connections' syncs, for demos. 0s follows each venue's opening hours: every 5 minutes for 7shifts while it is open, else every hour."`
	KeeperEvery    time.Duration `env:"CLUSTERBRIDGE_KEEPER_EVERY" envDefault:"5m" min:"1s" max:"24h" group:"Schedules and work" desc:"How often Temporal's schedules are brought in line with the ledger."`
	CalledOffAfter int           `env:"CLUSTERBRIDGE_CALLED_OFF_AFTER" envDefault:"12" min:"0" max:"10000" group:"Schedules and work" desc:"Refused runs since the last success after which a connection is called off and waits for a person. 0: never."`
	OldestFirst    bool          `env:"CLUSTERBRIDGE_HISTORY_OLDEST_FIRST" envDefault:"false" group:"Schedules and work" desc:"Bring in history from the oldest day on. Otherwise yesterday is right before last spring."`
	DaysAtOnce     int           `env:"CLUSTERBRIDGE_HISTORY_DAYS_AT_ONCE" envDefault:"3" min:"1" max:"20" group:"Schedules and work" desc:"How many business days of history one backfill works on at a time."`
	PullLease      time.Duration `env:"CLUSTERBRIDGE_PULL_LEASE" envDefault:"2m" min:"1s" max:"1h" group:"Schedules and work" desc:"How long a run may hold a connection's pull. After a worker was killed, the next run waits for the rest of it. Longer than a step of work, which takes up to a minute."`
	ClaimLease     time.Duration `env:"CLUSTERBRIDGE_CLAIM_LEASE" envDefault:"2m" min:"1s" max:"1h" group:"Schedules and work" desc:"How long a document may be on its way. After a worker was killed, its documents are looked at again when this has passed. Longer than a step of work."`

	SevenShiftsVersion      string        `env:"CLUSTERBRIDGE_SEVENSHIFTS_API_VERSION" envDefault:"2026-01-01" form:"date" group:"7shifts" desc:"The x-api-version header."`
	SevenShiftsCompanyGUID  string        `env:"CLUSTERBRIDGE_SEVENSHIFTS_COMPANY_GUID" form:"word" group:"7shifts" example:"5e1f2c9a-0000-4000-8000-000000000000" desc:"The x-company-guid header of an OAuth grant. Empty for access tokens made by a company's admin."`
	SevenShiftsTimeout      time.Duration `env:"CLUSTERBRIDGE_SEVENSHIFTS_TIMEOUT" envDefault:"20s" min:"1s" max:"30s" group:"7shifts" desc:"How long one request to 7shifts may take. Below the minute that a step of work has."`
	SevenShiftsPerSecond    float64       `env:"CLUSTERBRIDGE_SEVENSHIFTS_PER_SECOND" envDefault:"9" min:"0" max:"100000" group:"7shifts" desc:"Requests a second per token, over all workers. 7shifts blocks a token above 10. 0 lifts the limit, for benchmarks only."`
	SevenShiftsPenaltyRest  time.Duration `env:"CLUSTERBRIDGE_SEVENSHIFTS_PENALTY_REST" envDefault:"60s" min:"0s" max:"1h" group:"7shifts" desc:"How long a token rests after a 429 that states no time."`
	SevenShiftsInFlight     int           `env:"CLUSTERBRIDGE_SEVENSHIFTS_IN_FLIGHT" envDefault:"8" min:"1" max:"64" group:"7shifts" desc:"Receipts sent at once per step of work; never two of one receipt."`
	SevenShiftsSettle       time.Duration `env:"CLUSTERBRIDGE_SEVENSHIFTS_SETTLE" envDefault:"2m30s" min:"100ms" max:"24h" group:"7shifts" desc:"How long after it was accepted a receipt is read back. 7shifts may take two minutes to show it."`
	SevenShiftsHistoryDays  int           `env:"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_DAYS" envDefault:"90" min:"0" max:"400" group:"7shifts" desc:"Business days before the connection that are brought in; 7shifts asks for at least 90."`
	SevenShiftsHistoryFrom  int           `env:"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_FROM" envDefault:"8" min:"0" max:"24" group:"7shifts" desc:"The hour, UTC, from which history may be sent."`
	SevenShiftsHistoryUntil int           `env:"CLUSTERBRIDGE_SEVENSHIFTS_HISTORY_UNTIL" envDefault:"15" min:"0" max:"24" group:"7shifts" desc:"The hour, UTC, until which history may be sent. Both 0: always."`
	SevenShiftsListDays     int           `env:"CLUSTERBRIDGE_SEVENSHIFTS_LIST_DAYS" envDefault:"90" min:"1" max:"400" group:"7shifts" desc:"How far back 7shifts lets receipts be listed. Older ones end as sent, not verifiable."`

	SevenShiftsLiveShare float64 `env:"CLUSTERBRIDGE_SEVENSHIFTS_LIVE_SHARE" envDefault:"0.25" min:"0" max:"0.95" group:"7shifts" desc:"Which part of a token's requests history leaves to live work."`
	SevenShiftsPunchPage int     `env:"CLUSTERBRIDGE_SEVENSHIFTS_PUNCH_PAGE" envDefault:"200" min:"1" max:"500" group:"7shifts" desc:"Time punches asked for per page. 7shifts gives 20 unless asked, and states no most."`

	WiskVenueHeader   string        `env:"CLUSTERBRIDGE_WISK_VENUE_HEADER" envDefault:"X-Wisk-Venue-Id" form:"word" group:"WISK" desc:"The request header that carries the venue's identifier. WISK does not publish its name; this one is a third party's placeholder."`
	WiskSameID        string        `env:"CLUSTERBRIDGE_WISK_SAME_ID" envDefault:"replace" form:"replace|ignore|refuse|double-count" group:"WISK" desc:"What WISK does with a line that comes again under its id. WISK does not say; ask before the first venue goes live. With double-count an upload whose end is unknown is never sent again and waits for a person."`
	WiskRefusal       string        `env:"CLUSTERBRIDGE_WISK_REFUSAL" envDefault:"atomic" form:"atomic|partial" group:"WISK" desc:"Whether WISK takes the other lines of an upload in which it refuses some (partial) or none (atomic). WISK does not say."`
	WiskTimeout       time.Duration `env:"CLUSTERBRIDGE_WISK_TIMEOUT" envDefault:"20s" min:"1s" max:"30s" group:"WISK" desc:"How long one request to WISK may take. Below the minute that a step of work has."`
	WiskLinesAtOnce   int           `env:"CLUSTERBRIDGE_WISK_LINES_AT_ONCE" envDefault:"500" min:"1" max:"5000" group:"WISK" desc:"Lines per upload. WISK states no bound."`
	WiskInFlight      int           `env:"CLUSTERBRIDGE_WISK_IN_FLIGHT" envDefault:"2" min:"1" max:"16" group:"WISK" desc:"Uploads on their way at once per step of work."`
	WiskPerSecond     float64       `env:"CLUSTERBRIDGE_WISK_PER_SECOND" envDefault:"2" min:"0" max:"100000" group:"WISK" desc:"Requests a second per venue of WISK, over all workers. WISK states no limit. 0 lifts ours."`
	WiskPenaltyRest   time.Duration `env:"CLUSTERBRIDGE_WISK_PENALTY_REST" envDefault:"60s" min:"0s" max:"1h" group:"WISK" desc:"How long a venue rests after a 429 that states no time."`
	WiskLiveShare     float64       `env:"CLUSTERBRIDGE_WISK_LIVE_SHARE" envDefault:"0.25" min:"0" max:"0.95" group:"WISK" desc:"Which part of a venue's requests history leaves to live work."`
	WiskHistoryMonths int           `env:"CLUSTERBRIDGE_WISK_HISTORY_MONTHS" envDefault:"6" min:"0" max:"24" group:"WISK" desc:"Calendar months before the connection that are brought in."`
	WiskOpenOrders    bool          `env:"CLUSTERBRIDGE_WISK_OPEN_ORDERS" envDefault:"false" group:"WISK" desc:"Upload the items of orders that are still open, and correct them with each change. Otherwise an order is uploaded when it closes."`
	WiskModifiers     string        `env:"CLUSTERBRIDGE_WISK_MODIFIER_PREFIX" form:"word" group:"WISK" example:"mod-" desc:"What goes before a modifier's id where modifiers are items of their own, for tills whose modifiers and items share ids."`

	ReportAddress   string   `env:"CLUSTERBRIDGE_WISK_REPORT_ADDRESS" envDefault:"pos@wisk.ai" form:"mail" group:"WISK" desc:"Where daily sales reports go, on the route report."`
	ReportFormat    string   `env:"CLUSTERBRIDGE_WISK_REPORT_FORMAT" envDefault:"csv" form:"csv|xlsx" group:"WISK" desc:"The format of daily sales reports."`
	ReportDelimiter string   `env:"CLUSTERBRIDGE_WISK_REPORT_DELIMITER" envDefault:"comma" form:"comma|semicolon|tab" group:"WISK" desc:"The sign between the cells of a CSV report; WISK does not say."`
	ReportColumns   []string `env:"CLUSTERBRIDGE_WISK_REPORT_COLUMNS" envDefault:"POS Code,Item Name,Quantity Sold,Net Sales" group:"WISK" desc:"The headers of code, title, quantity and net sales, in this order; their spelling is assumed. Comma separated."`

	OnboardingSettings

	ExportHourColumns    []string `env:"CLUSTERBRIDGE_EXPORT_HOUR_COLUMNS" envDefault:"business_day=Business day,date=Date,hour=Hour,offset=UTC offset,net_sales=Net sales,receipts=Receipts" form:"hour-column" group:"Exports for managers" desc:"The columns of hourly sales, in their order, each field=Header; 7shifts' import format was not found. Fields: business_day, date and hour (local, when the hour begins), end, offset (tells the hour apart that comes twice when the clocks go back), start_utc, net_sales, receipts (their count), location. Comma separated."`
	ExportReceiptColumns []string `env:"CLUSTERBRIDGE_EXPORT_RECEIPT_COLUMNS" envDefault:"receipt_id=Receipt ID,business_day=Business day,date=Date,time=Time,offset=UTC offset,status=Status,net=Net total,gross=Gross total,discounts=Discounts,card_tips=Card tips,gratuity=Gratuity,employee=Employee ID" form:"receipt-column" group:"Exports for managers" desc:"The columns of receipts, in their order, each field=Header. Fields: receipt_id, business_day, date and time (local), offset, date_utc, status, net, gross (net and discounts), discounts (comps included), card_tips, gratuity, tips (both), employee (the till's id), location. Comma separated."`
	ExportDateFormat     string   `env:"CLUSTERBRIDGE_EXPORT_DATE_FORMAT" envDefault:"YYYY-MM-DD" form:"date-pattern" group:"Exports for managers" desc:"How dates are written: YYYY or YY, MM or M, DD or D, with -, /, . or blanks between."`
	ExportTimeFormat     string   `env:"CLUSTERBRIDGE_EXPORT_TIME_FORMAT" envDefault:"HH:mm" form:"time-pattern" group:"Exports for managers" desc:"How times are written: HH, or hh or h with AM (which becomes AM or PM), then mm, and ss if wanted."`
	ExportAmounts        string   `env:"CLUSTERBRIDGE_EXPORT_AMOUNTS" envDefault:"decimals" form:"decimals|cents" group:"Exports for managers" desc:"How amounts are written: 12.05, or 1205."`
	ExportDecimalMark    string   `env:"CLUSTERBRIDGE_EXPORT_DECIMAL_MARK" envDefault:"point" form:"point|comma" group:"Exports for managers" desc:"The sign before the cents of decimals."`
	ExportDelimiter      string   `env:"CLUSTERBRIDGE_EXPORT_DELIMITER" envDefault:"comma" form:"comma|semicolon|tab" group:"Exports for managers" desc:"The sign between cells. Excel set to French wants semicolon."`
	ExportBOM            bool     `env:"CLUSTERBRIDGE_EXPORT_BOM" envDefault:"false" group:"Exports for managers" desc:"Begin the file with the mark by which Excel knows UTF-8; without it Excel garbles accents."`

	// files are the files that secrets were read from, by their variable.
	files map[string]string
}
