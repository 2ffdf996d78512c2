// SPDX-License-Identifier: GPL-2.0
/*
 * What CXL memory devices say of their media: the trace events cxl_general_media, cxl_dram and
 * cxl_poison, heard of as perf hears of them, by counters of the kernel's own.
 *
 * Not by probes of the tracepoints: what these have are structs that only drivers/cxl
 * knows, and the host's address of a poisoned line is worked out for the trace record only.
 * The record is what user space reads, by the names of its fields, and so are these here: an
 * event that has lost one of them, or has it in another size, is not heard, and the log says so.
 *
 * A counter holds the module that has the event, and an event of a module that comes later is
 * found when that is there.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/perf_event.h>
#include <linux/slab.h>
#include <linux/trace_events.h>
#include <linux/workqueue.h>
#include <daxrmap_helpers.h>

/* A field of an event, and where it goes in what is told. */
struct wanted {
	const char *name;
	int size;
	size_t to;
};

#define TO(field)	offsetof(struct daxrmap_cxl_record, field)
/* A string stands elsewhere in the record: the field says where, and how long it is. */
#define STRING		SIZE_MAX
#define FIELDS		7

#define MEDIA_FIELDS {					\
	{ "log", 4, TO(log) },				\
	{ "descriptor", 1, TO(descriptor) },		\
	{ "type", 1, TO(type) },			\
	{ "dpa_flags", 1, TO(flags) },			\
	{ "hpa", 8, TO(hpa) },				\
	{ "dpa", 8, TO(dpa) },				\
	{ "region_name", 4, STRING },			\
}

static const struct event {
	const char *name;
	struct wanted fields[FIELDS];
} events[] = {
	[DAXRMAP_CXL_MEDIA] = { "cxl_general_media", MEDIA_FIELDS },
	[DAXRMAP_CXL_DRAM] = { "cxl_dram", MEDIA_FIELDS },
	[DAXRMAP_CXL_POISON] = { "cxl_poison", {
		{ "trace_type", 1, TO(type) },
		{ "flags", 1, TO(flags) },
		{ "hpa", 8, TO(hpa) },
		{ "dpa", 8, TO(dpa) },
		{ "dpa_length", 4, TO(length) },
		{ "region", 4, STRING },
	} },
};

#define EVENTS ARRAY_SIZE(events)

/* What was found of an event in this kernel. */
static struct source {
	u64 id;
	unsigned int offsets[FIELDS];
	bool refused;
} sources[EVENTS];

struct counters {
	struct perf_event *of[EVENTS];
};

static DEFINE_MUTEX(lock);		/* for all of these */
static struct counters *counters;	/* of each CPU */
static struct cpumask gone;		/* whose counters are worth nothing any more */
static void (*tell)(void *data, const struct daxrmap_cxl_record *record);
static void *tell_data;
static int hotplug;

static void hear(struct perf_event *counter, struct perf_sample_data *data,
		 struct pt_regs *regs)
{
	const struct source *source = counter->overflow_handler_context;
	const struct event *event = &events[source - sources];
	struct daxrmap_cxl_record record = { .kind = source - sources };
	const struct wanted *field;
	const void *raw;
	unsigned int size, at, i;
	u32 where;

	if (!data->raw)
		return;
	raw = data->raw->frag.data;
	size = data->raw->frag.size;
	for (i = 0; i < FIELDS && event->fields[i].name; i++) {
		field = &event->fields[i];
		at = source->offsets[i];
		if (at + field->size > size)
			return;
		if (field->to != STRING) {
			memcpy((void *)&record + field->to, raw + at, field->size);
			continue;
		}
		memcpy(&where, raw + at, sizeof(where));
		at = where & 0xffff;
		if (at < size)
			strscpy(record.region, raw + at,
				min_t(size_t, size - at, sizeof(record.region)));
	}
	tell(tell_data, &record);
}

/* The field's offset in the event's record, as the kernel lays it out; -1 if there is no such field. */
static int offset_of(const struct trace_event_call *call, const struct wanted *wanted)
{
	const struct trace_event_fields *field = call->class->fields_array;
	unsigned int offset = sizeof(struct trace_entry);

	for (; field->type && field->type != TRACE_FUNCTION_TYPE; field++) {
		offset = ALIGN(offset, field->align);
		if (!strcmp(field->name, wanted->name))
			return field->size == wanted->size ? offset : -1;
		offset += field->size;
	}
	return -1;
}

/* Looks for an event, if it was not found yet. */
static bool find(struct source *source)
{
	const struct event *event = &events[source - sources];
	struct trace_event_file *file;
	int i, offset;

	if (source->id || source->refused)
		return source->id;
	file = trace_get_event_file(NULL, "cxl", event->name);
	if (IS_ERR(file))
		return false;
	for (i = 0; i < FIELDS && event->fields[i].name; i++) {
		offset = offset_of(file->event_call, &event->fields[i]);
		if (offset < 0) {
			pr_warn("daxrmap: cxl:%s has no field %s as it is known here: it is not heard\n",
				event->name, event->fields[i].name);
			source->refused = true;
			break;
		}
		source->offsets[i] = offset;
	}
	if (!source->refused)
		source->id = file->event_call->event.type;
	trace_put_event_file(file);
	return source->id;
}

static void release(struct counters *cpu)
{
	unsigned int i;

	for (i = 0; i < EVENTS; i++) {
		if (cpu->of[i])
			perf_event_release_kernel(cpu->of[i]);
		cpu->of[i] = NULL;
	}
}

/* A counter for each event that there is, on each CPU that there is. */
static int arrange(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
	};
	struct perf_event *counter;
	unsigned int i, cpu;
	int error = 0;

	for_each_possible_cpu(cpu) {
		if (cpumask_test_and_clear_cpu(cpu, &gone))
			release(&counters[cpu]);
	}
	for (i = 0; i < EVENTS; i++) {
		if (!find(&sources[i]))
			continue;
		attr.config = sources[i].id;
		for_each_online_cpu(cpu) {
			if (counters[cpu].of[i])
				continue;
			counter = perf_event_create_kernel_counter(&attr, cpu, NULL,
								   hear, &sources[i]);
			if (!IS_ERR(counter))
				counters[cpu].of[i] = counter;
			else if (PTR_ERR(counter) != -ENODEV)	/* not gone meanwhile */
				error = PTR_ERR(counter);
		}
	}
	return error;
}

/*
 * Not where a CPU comes or goes: who makes a counter may wait for one who waits for that.
 * A CPU that goes is still online when this runs, and may be given counters that end with it:
 * so they are new when it comes again.
 */
static void arrange_anew(struct work_struct *work)
{
	int error;

	mutex_lock(&lock);
	error = arrange();
	mutex_unlock(&lock);
	if (error)
		pr_warn("daxrmap: what CXL devices say is not heard on each CPU: errno %d\n", error);
}

static DECLARE_WORK(anew, arrange_anew);

static int cpu_changes(unsigned int cpu)
{
	cpumask_set_cpu(cpu, &gone);
	schedule_work(&anew);
	return 0;
}

static int module_comes(struct notifier_block *nb, unsigned long state, void *module)
{
	if (state == MODULE_STATE_LIVE && ((struct module *)module)->num_trace_events)
		schedule_work(&anew);
	return NOTIFY_DONE;
}

static struct notifier_block modules = { .notifier_call = module_comes };

int daxrmap_cxl_start(void (*told)(void *data, const struct daxrmap_cxl_record *record),
		      void *data)
{
	int error;
	unsigned int cpu;

	counters = kvcalloc(nr_cpu_ids, sizeof(*counters), GFP_KERNEL);
	if (!counters)
		return -ENOMEM;
	memset(sources, 0, sizeof(sources));
	cpumask_clear(&gone);
	tell = told;
	tell_data = data;
	error = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "daxrmap:cxl",
					  cpu_changes, cpu_changes);
	if (error < 0)
		goto no_hotplug;
	hotplug = error;
	error = register_module_notifier(&modules);
	if (error)
		goto no_modules;
	mutex_lock(&lock);
	error = arrange();
	mutex_unlock(&lock);
	if (!error)
		return 0;
	unregister_module_notifier(&modules);
no_modules:
	cpuhp_remove_state_nocalls(hotplug);
no_hotplug:
	cancel_work_sync(&anew);
	for_each_possible_cpu(cpu)
		release(&counters[cpu]);
	kvfree(counters);
	return error;
}

/* Nobody is told any more when this returns. */
void daxrmap_cxl_stop(void)
{
	unsigned int cpu;

	unregister_module_notifier(&modules);
	cpuhp_remove_state_nocalls(hotplug);
	cancel_work_sync(&anew);
	for_each_possible_cpu(cpu)
		release(&counters[cpu]);
	/* Who is in hear() has preemption disabled; what is freed after this is not reached any more. */
	tracepoint_synchronize_unregister();
	kvfree(counters);
}

/* Whether this kernel has events of CXL devices that are heard. */
bool daxrmap_cxl_is_heard(void)
{
	unsigned int i;
	bool heard = false;

	mutex_lock(&lock);
	for (i = 0; i < EVENTS; i++)
		heard |= sources[i].id;
	mutex_unlock(&lock);
	return heard;
}

/* A number in a file of sysfs; 0 if it cannot be read. */
static u64 number_in(const char *region, const char *name)
{
	char path[96], text[24] = "";
	struct file *file;
	loff_t pos = 0;
	u64 number = 0;

	if (snprintf(path, sizeof(path), "/sys/bus/cxl/devices/%s/%s", region,
		     name) >= sizeof(path))
		return 0;
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return 0;
	if (kernel_read(file, text, sizeof(text) - 1, &pos) > 0)
		number = simple_strtoull(text, NULL, 0);
	filp_close(file, NULL);
	return number;
}

/*
 * How many devices a region is spread over, and how many bytes in a row are on one of them;
 * drivers/cxl tells nobody but user space. For a kernel thread, which has the first root directory.
 */
bool daxrmap_cxl_interleave(const char *region, u64 *ways, u64 *granularity)
{
	if (!*region || strchr(region, '/'))
		return false;
	*ways = number_in(region, "interleave_ways");
	*granularity = number_in(region, "interleave_granularity");
	return *ways && *granularity;
}
