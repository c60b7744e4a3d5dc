/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module does to hardware, to VMMs and to guests, as trace events: each
 * carries the PASID of the mdev, which its attribute `pasid` names.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM idxd_mdev

#if !defined(IDXD_MDEV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define IDXD_MDEV_TRACE_H

#include <linux/tracepoint.h>

/* A command of the guest ended; @error as in CMDSTS, or negative from the host. */
TRACE_EVENT(idxd_mdev_command,
	TP_PROTO(u32 pasid, u8 code, int error, u16 result),
	TP_ARGS(pasid, code, error, result),
	TP_STRUCT__entry(
		__field(u32, pasid)
		__field(u8, code)
		__field(int, error)
		__field(u16, result)
	),
	TP_fast_assign(
		__entry->pasid = pasid;
		__entry->code = code;
		__entry->error = error;
		__entry->result = result;
	),
	TP_printk("pasid=%u code=%u error=%d result=%u",
		  __entry->pasid, __entry->code, __entry->error, __entry->result)
);

/* The host queue of an mdev was enabled (with @on) or disabled. */
TRACE_EVENT(idxd_mdev_queue,
	TP_PROTO(const char *wq, u32 pasid, bool on, int error),
	TP_ARGS(wq, pasid, on, error),
	TP_STRUCT__entry(
		__string(wq, wq)
		__field(u32, pasid)
		__field(bool, on)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(wq);
		__entry->pasid = pasid;
		__entry->on = on;
		__entry->error = error;
	),
	TP_printk("wq=%s pasid=%u %s error=%d", __get_str(wq), __entry->pasid,
		  __entry->on ? "enable" : "disable", __entry->error)
);

DECLARE_EVENT_CLASS(idxd_mdev_switch,
	TP_PROTO(u32 pasid, bool on),
	TP_ARGS(pasid, on),
	TP_STRUCT__entry(
		__field(u32, pasid)
		__field(bool, on)
	),
	TP_fast_assign(
		__entry->pasid = pasid;
		__entry->on = on;
	),
	TP_printk("pasid=%u on=%d", __entry->pasid, __entry->on)
);

/* The portal shows the host's (@on) or swallows what is stored. */
DEFINE_EVENT(idxd_mdev_switch, idxd_mdev_portal,
	TP_PROTO(u32 pasid, bool on), TP_ARGS(pasid, on));

/* The PASID reaches the memory that the VMM mapped, or nothing. */
DEFINE_EVENT(idxd_mdev_switch, idxd_mdev_domain,
	TP_PROTO(u32 pasid, bool on), TP_ARGS(pasid, on));

/* A completion interrupt; not @on: it waits until the guest unmasks the vector. */
DEFINE_EVENT(idxd_mdev_switch, idxd_mdev_interrupt,
	TP_PROTO(u32 pasid, bool on), TP_ARGS(pasid, on));

/* The mdev lost its queue or the device halted (not @on), or it was given back. */
DEFINE_EVENT(idxd_mdev_switch, idxd_mdev_alive,
	TP_PROTO(u32 pasid, bool on), TP_ARGS(pasid, on));

/* An error without a completion record, on its way to the guest. */
TRACE_EVENT(idxd_mdev_error,
	TP_PROTO(u32 pasid, u8 code, u8 operation, u64 address),
	TP_ARGS(pasid, code, operation, address),
	TP_STRUCT__entry(
		__field(u32, pasid)
		__field(u8, code)
		__field(u8, operation)
		__field(u64, address)
	),
	TP_fast_assign(
		__entry->pasid = pasid;
		__entry->code = code;
		__entry->operation = operation;
		__entry->address = address;
	),
	TP_printk("pasid=%u code=%#x operation=%#x address=%#llx", __entry->pasid,
		  __entry->code, __entry->operation, __entry->address)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
