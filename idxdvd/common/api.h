/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDXDVD_COMMON_API_H
#define IDXDVD_COMMON_API_H

/*
 * The D-Bus contract, shared by the daemon and idxdctl. A change here that an old client would
 * notice is a new bus name (org.idxdvd2), never a silent change of this one.
 */

#define API_BUS_NAME		"org.idxdvd1"
#define API_ROOT		"/org/idxdvd1"
#define API_PREFIX_ACCELERATOR	API_ROOT "/accelerator"
#define API_PREFIX_WORKQUEUE	API_ROOT "/wq"
#define API_PREFIX_MDEV		API_ROOT "/mdev"

#define API_IFACE_MANAGER	"org.idxdvd1.Manager"
#define API_IFACE_ACCELERATOR	"org.idxdvd1.Accelerator"
#define API_IFACE_WORKQUEUE	"org.idxdvd1.WorkQueue"
#define API_IFACE_MDEV		"org.idxdvd1.Mdev"
#define API_IFACE_DEFINITION	"org.idxdvd1.Definition"

#define API_ERROR_PREFIX	"org.idxdvd1.Error."

/* What a caller may do; the daemon gives each harm its own name so that a rule can tell them apart. */
#define API_ACTION_MANAGE_WQ	"org.idxdvd1.manage-wq"
#define API_ACTION_MANAGE_MDEV	"org.idxdvd1.manage-mdev"
#define API_ACTION_DEFINE	"org.idxdvd1.define"
#define API_ACTION_APPLY	"org.idxdvd1.apply"
#define API_ACTION_OVERRIDE	"org.idxdvd1.override-unsafe-device"
#define API_ACTION_DRAIN	"org.idxdvd1.drain"
#define API_ACTION_FORCE	"org.idxdvd1.force"
#define API_ACTION_LIST_HOLDERS	"org.idxdvd1.list-holders"

/* Limits on a caller; strings in bytes without the NUL. */
enum {
	API_DEVICE_MAX = 63,
	API_TYPE_MAX = 63,
	API_UUID_MAX = 63,
	API_LABELS_MAX = 32,
	API_DOCUMENT_MAX = 1024 * 1024,
	API_PENDING_MAX = 64,	/* requests in work at one time */
	API_PENDING_USER_MAX = 16,	/* of one user who is not root */
};

/* Exit status of idxdctl. */
enum api_exit {
	API_EXIT_OK = 0,
	API_EXIT_FAILURE = 1,
	API_EXIT_USAGE = 2,
	API_EXIT_NOT_FOUND = 3,
	API_EXIT_PERMISSION = 4,
	API_EXIT_IN_USE = 5,
	API_EXIT_CAPACITY = 6,
	API_EXIT_UNSAFE = 7,
	API_EXIT_TIMEOUT = 124,
};

/*
 * Every refusal the daemon can give: kind, D-Bus error name, errno, exit status of idxdctl.
 * The kinds are those of enum refusal_kind without their prefix; the manual page org.idxdvd1(5)
 * lists the names. The build and a test compare both with this table.
 */
#define API_ERRORS(X) \
	X(INVALID_ARGS, "org.freedesktop.DBus.Error.InvalidArgs", EINVAL, API_EXIT_USAGE) \
	X(NO_SUCH_DEVICE, API_ERROR_PREFIX "NoSuchDevice", ENODEV, API_EXIT_NOT_FOUND) \
	X(NO_SUCH_WQ, API_ERROR_PREFIX "NoSuchWorkQueue", ENXIO, API_EXIT_NOT_FOUND) \
	X(NO_SUCH_MDEV, API_ERROR_PREFIX "NoSuchMdev", ENOENT, API_EXIT_NOT_FOUND) \
	X(NO_SUCH_TYPE, API_ERROR_PREFIX "NoSuchType", ENOENT, API_EXIT_NOT_FOUND) \
	X(NOT_DEFINED, API_ERROR_PREFIX "NotDefined", ENOENT, API_EXIT_NOT_FOUND) \
	X(NO_MODULE, API_ERROR_PREFIX "NoModule", ENOSYS, API_EXIT_FAILURE) \
	X(NO_IOMMU, API_ERROR_PREFIX "NoIommu", EOPNOTSUPP, API_EXIT_FAILURE) \
	X(NOT_ADOPTED, API_ERROR_PREFIX "NotAdopted", ENOTCONN, API_EXIT_NOT_FOUND) \
	X(NO_CAPACITY, API_ERROR_PREFIX "NoCapacity", ENOSPC, API_EXIT_CAPACITY) \
	X(ENGINES_TAKEN, API_ERROR_PREFIX "EnginesTaken", EBUSY, API_EXIT_CAPACITY) \
	X(QUOTA_EXCEEDED, API_ERROR_PREFIX "QuotaExceeded", EDQUOT, API_EXIT_CAPACITY) \
	X(UNSAFE_DEVICE, API_ERROR_PREFIX "UnsafeDevice", EPERM, API_EXIT_UNSAFE) \
	X(IN_USE, API_ERROR_PREFIX "InUse", EBUSY, API_EXIT_IN_USE) \
	X(HOST_KERNEL, API_ERROR_PREFIX "HostKernel", EBUSY, API_EXIT_IN_USE) \
	X(HOST_USER, API_ERROR_PREFIX "HostUser", EBUSY, API_EXIT_IN_USE) \
	X(MDEV_IDLE, API_ERROR_PREFIX "MdevIdle", EBUSY, API_EXIT_IN_USE) \
	X(MDEV_IN_USE, API_ERROR_PREFIX "MdevInUse", EBUSY, API_EXIT_IN_USE) \
	X(DEVICE_TAKEN, API_ERROR_PREFIX "DeviceTaken", EBUSY, API_EXIT_IN_USE) \
	X(EXISTS, API_ERROR_PREFIX "Exists", EEXIST, API_EXIT_IN_USE) \
	X(INVALID_UUID, API_ERROR_PREFIX "InvalidUuid", EINVAL, API_EXIT_USAGE) \
	X(FOREIGN, API_ERROR_PREFIX "Foreign", EBUSY, API_EXIT_IN_USE) \
	X(NOT_SUPPORTED, API_ERROR_PREFIX "NotSupported", EOPNOTSUPP, API_EXIT_FAILURE) \
	X(CANCELLED, API_ERROR_PREFIX "Cancelled", ECANCELED, API_EXIT_FAILURE) \
	X(NOT_RUNNING, API_ERROR_PREFIX "NotRunning", ENOENT, API_EXIT_NOT_FOUND) \
	X(SHUTTING_DOWN, API_ERROR_PREFIX "ShuttingDown", ESHUTDOWN, API_EXIT_FAILURE) \
	X(FAILED, API_ERROR_PREFIX "Failed", EIO, API_EXIT_FAILURE)

#endif
