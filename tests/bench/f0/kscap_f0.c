// SPDX-License-Identifier: GPL-2.0-only
/* Two probes that do nothing: what it costs to be called at all (F0 of the benchmark). */
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

static struct tracepoint *points[2];

static void on_enter(void *data, struct pt_regs *regs, long id)
{
}

static void on_exit(void *data, struct pt_regs *regs, long ret)
{
}

static void find(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "sys_enter"))
		points[0] = tp;
	if (!strcmp(tp->name, "sys_exit"))
		points[1] = tp;
}

static int __init f0_init(void)
{
	int rc;

	for_each_kernel_tracepoint(find, NULL);
	if (!points[0] || !points[1])
		return -ENOENT;
	rc = tracepoint_probe_register(points[0], on_enter, NULL);
	if (rc)
		return rc;
	rc = tracepoint_probe_register(points[1], on_exit, NULL);
	if (rc)
		tracepoint_probe_unregister(points[0], on_enter, NULL);
	return rc;
}

static void __exit f0_exit(void)
{
	tracepoint_probe_unregister(points[1], on_exit, NULL);
	tracepoint_probe_unregister(points[0], on_enter, NULL);
	tracepoint_synchronize_unregister();
}

module_init(f0_init);
module_exit(f0_exit);
MODULE_DESCRIPTION("two empty probes, for comparison");
MODULE_LICENSE("GPL");
