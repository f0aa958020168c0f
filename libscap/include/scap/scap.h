/* SPDX-License-Identifier: MIT */
/* libscap: captures of system calls, read and written. This header includes all others. */
#ifndef SCAP_SCAP_H
#define SCAP_SCAP_H

#include <scap/columns.h>
#include <scap/copy.h>
#include <scap/error.h>
#include <scap/event.h>
#include <scap/export.h>
#include <scap/filter.h>
#include <scap/io.h>
#include <scap/live.h>
#include <scap/monitor.h>
#include <scap/print.h>
#include <scap/reader.h>
#include <scap/ring.h>
#include <scap/summary.h>
#include <scap/trigger.h>
#include <scap/writer.h>

#endif
