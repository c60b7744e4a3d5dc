#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""idxdctl doctor on hosts that lack one thing each: it names that, and the fix that helps.

HEALTHY is a host on which an mdev can be made, as files; each row of CASES changes some of them. Rows
with a "seen" are what people reported; the text is where.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("top_builddir", ".")
STATE = os.environ["localstatedir"] + "/lib/idxdvd/devices"
ETC = os.environ["sysconfdir"]
KERNEL = "6.12.48+deb13-amd64"
BDF = "0000:6a:01.0"
PCI = f"sys/bus/pci/devices/{BDF}"
DSA = f"{PCI}/dsa0"
UNIT = "sys/class/iommu/dmar0/intel-iommu"
MODULES = f"lib/modules/{KERNEL}"
SOURCE = "var/lib/dkms/idxd-mdev/0.1.0"
ACCFG = "etc/accel-config/accel-config.conf"
ECAP = 0xf050df | 1 << 43 | 1 << 40
CPU = "model name\t: Intel(R) Xeon(R) 6952P\nflags\t\t: fpu movdiri movdir64b enqcmd\n"
CONFIG = "".join(f"CONFIG_{c}\n" for c in (
    "INTEL_IDXD=m", "INTEL_IOMMU=y", "IRQ_REMAP=y", "VFIO=m", "VFIO_GROUP=y", "VFIO_MDEV=m",
    "INTEL_IOMMU_DEFAULT_ON=y")) + "# CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON is not set\n"
LIMITS = "Limit                     Soft Limit           Hard Limit           Units\n" \
         "Max locked memory         {}              8388608              bytes\n"
ROOT, USER = "CapEff:\t000001ffffffffff\n", "CapEff:\t0000000000000000\n"


class Link(str):
    """The target of a symbolic link."""


GONE = None


def queue(n, **attrs):
    """The attributes of a queue; driver= is who it is bound to."""
    values = {"size": "16", "type": "none", "mode": "dedicated", "state": "disabled", "name": "",
              "driver_name": "", "group_id": "0", "clients": "0", **attrs}
    driver = values.pop("driver", None)
    files = {f"{DSA}/wq0.{n}/{k}": v for k, v in values.items()}
    files[f"{DSA}/wq0.{n}/driver"] = Link(f"../../../drivers/{driver}") if driver else GONE
    return files


def all_queues(**attrs):
    return {k: v for n in range(4) for k, v in queue(n, **attrs).items()}


def config(wq, dev="dsa0"):
    return {ACCFG: json.dumps([{"dev": dev, "groups": [
        {"dev": "group0.0", "grouped_workqueues": [{"dev": "wq0.1", **wq}]}]}])}


HEALTHY = {
    "proc/cpuinfo": CPU,
    "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 intel_iommu=on,sm_on quiet",
    "proc/sys/kernel/osrelease": KERNEL,
    "proc/interrupts": " 24:  0  IR-PCI-MSIX-0000:6a:01.0  0-edge  idxd-misc\n",
    "proc/self/status": ROOT,
    "proc/self/limits": LIMITS.format("8388608"),
    "sys/firmware/acpi/tables/DMAR": "DMAR",
    f"{UNIT}/cap": "19ed008c40780c66",
    f"{UNIT}/ecap": f"{ECAP:x}",
    f"boot/config-{KERNEL}": CONFIG,
    f"{MODULES}/modules.dep": "updates/dkms/idxd_mdev.ko.xz: kernel/drivers/vfio/mdev/mdev.ko.xz\n",
    f"{MODULES}/build": Link("/usr/src/linux-headers"),
    f"{SOURCE}/{KERNEL}/x86_64/module/idxd_mdev.ko.xz": "",
    "sys/module/idxd_mdev/parameters/allow_unsafe": "N",
    "sys/module/idxd/parameters/sva": "Y",
    "sys/kernel/security/lockdown": "[none] integrity confidentiality",
    "sys/module/module/parameters/sig_enforce": "N",
    "sys/bus/pci/drivers/idxd/bind": "",
    "sys/bus/dsa/devices/dsa0": Link(f"../../pci/devices/{BDF}/dsa0"),
    **{f"sys/bus/dsa/devices/wq0.{n}": Link(f"../../pci/devices/{BDF}/dsa0/wq0.{n}")
       for n in range(4)},
    f"{PCI}/vendor": "0x8086", f"{PCI}/device": "0x1212",
    f"{PCI}/driver": Link("../../drivers/idxd"), f"{PCI}/iommu_group/type": "DMA-FQ",
    f"{PCI}/mdev_supported_types/idxd-dsa-1dwq-v1/available_instances": "1",
    f"{DSA}/state": "enabled", f"{DSA}/configurable": "1", f"{DSA}/pasid_enabled": "1",
    **all_queues(), **queue(0, driver="mdev", type="user", state="disabled", name="idxdvd"),
    f"{STATE}/{BDF}.json": json.dumps({"version": 1, "device": BDF, "host-wqs": 1}),
    "run/systemd/units/invocation:idxdvd.service": Link("0123456789abcdef"),
    "etc/systemd/system/dbus-org.idxdvd1.service": Link("/usr/lib/systemd/system/idxdvd.service"),
    "etc/libvirt/qemu.conf": "", "etc/libvirt/hooks/qemu.d/idxdvd": "",
    "dev/kmsg": "6,1,0,-;Linux version " + KERNEL + "\n",
}

NO_POOL = {f"{PCI}/mdev_supported_types/idxd-dsa-1dwq-v1/available_instances": "0"}
NOT_LOADED = {"sys/module/idxd_mdev/parameters/allow_unsafe": GONE, "sys/module/idxd_mdev": GONE}
NOT_INSTALLED = {**NOT_LOADED, f"{MODULES}/modules.dep": "kernel/drivers/dma/idxd/idxd.ko.xz:\n"}
SECURE = {**NOT_LOADED, "sys/kernel/security/lockdown": "none [integrity] confidentiality"}
NOTHING_BUILT = {f"{SOURCE}/{KERNEL}": GONE}

# name, changes, check, result, what the evidence has, what the fix has [, seen]
CASES = [
    ("old CPU", {"proc/cpuinfo": CPU.replace("movdir64b", "avx512f")},
     "cpu", "fail", r"Xeon\(R\) 6952P has no MOVDIR64B", "4th generation"),
    ("a guest without a vIOMMU", {"proc/cpuinfo": CPU + "hypervisor\n", UNIT: GONE,
                                  "sys/firmware/acpi/tables/DMAR": GONE},
     "vtd", "fail", "no ACPI table DMAR, and this is a virtual machine", "on the host of this machine",
     "intel/idxd-config 5"),
    ("VT-d off in the firmware", {"sys/firmware/acpi/tables/DMAR": GONE, UNIT: GONE},
     "vtd", "fail", "no ACPI table DMAR$", "Directed I/O.* in the firmware", "intel/idxd-config 46"),
    ("intel_iommu=off", {"proc/cmdline": "quiet intel_iommu=off", UNIT: GONE},
     "vtd", "fail", "intel_iommu=off", "intel_iommu=on,sm_on.*update-grub"),
    ("no parameter on a kernel that needs one",
     {"proc/cmdline": "quiet", UNIT: GONE,
      f"boot/config-{KERNEL}": CONFIG.replace("INTEL_IOMMU_DEFAULT_ON=y", "X=y")},
     "vtd", "fail", "without intel_iommu=on", "intel_iommu=on,sm_on.*update-grub", "intel/qpl 50"),
    ("VT-d did not come up", {UNIT: GONE}, "vtd", "fail", "no unit is at work", "dmesg.*DMAR"),
    ("no sm_on", {"proc/cmdline": "quiet intel_iommu=on"},
     "scalable-mode", "fail", "booted with intel_iommu=on$", "intel_iommu=on,sm_on",
     "intel/idxd-config 5, 29, 46"),
    ("neither", {"proc/cmdline": "quiet"},
     "scalable-mode", "fail", "booted with no intel_iommu=", "intel_iommu=on,sm_on"),
    ("sm_on without the comma", {"proc/cmdline": "intel_iommu=on sm_on"},
     "scalable-mode", "fail", "stands alone", "with a comma"),
    ("sm_off", {"proc/cmdline": "intel_iommu=on,sm_off"},
     "scalable-mode", "fail", "intel_iommu=on,sm_off", "intel_iommu=on,sm_on instead"),
    ("VT-d of an older platform", {f"{UNIT}/ecap": "f050df"},
     "scalable-mode", "fail", "no unit of VT-d has scalable mode", "4th generation"),
    ("VT-d without PASID", {f"{UNIT}/ecap": f"{ECAP & ~(1 << 40):x}"},
     "pasid", "fail", "no unit of VT-d has PASIDs", "firmware"),
    ("five-level page tables", {"proc/cpuinfo": CPU + "flags\t: la57\n", f"{UNIT}/cap": "8c40780c66",
                                f"{DSA}/pasid_enabled": "0",
                                "dev/kmsg": f"4,9,1,-;idxd {BDF}: Unable to turn on user SVA feature.\n"},
     "pasid", "warn", "dsa0: idxd.*Unable to turn on user SVA feature", "no5lvl",
     "intel/idxd-config 15, 78"),
    ("idxd without SVA", {f"{DSA}/pasid_enabled": "0", "sys/module/idxd/parameters/sva": "N"},
     "pasid", "warn", "pasid_enabled is 0", "sva=0",
     "intel/intel-device-plugins-for-kubernetes 1836"),
    ("intremap=off", {"proc/cmdline": "intel_iommu=on,sm_on intremap=off",
                      "proc/interrupts": " 24: 0 PCI-MSIX-0000:6a:01.0\n"},
     "interrupt-remapping", "fail", "intremap=off", "take it out"),
    ("remapping off in the firmware", {"proc/interrupts": " 24: 0 PCI-MSIX-0000:6a:01.0\n"},
     "interrupt-remapping", "fail", "none in /proc/interrupts", "in the firmware"),
    ("old kernel", {"proc/sys/kernel/osrelease": "5.13.0-rc4"},
     "kernel", "fail", "5.13.0-rc4; idxd_mdev needs 6.12", "linux-image-amd64", "intel/idxd-config 7"),
    ("a kernel without mdev", {f"boot/config-{KERNEL}": CONFIG.replace("CONFIG_VFIO_MDEV=m\n", "")},
     "kernel", "fail", "without CONFIG_VFIO_MDEV", "CONFIG_VFIO_MDEV=m"),
    ("no module at all", {**NOT_INSTALLED, "var/lib/dkms/idxd-mdev": GONE},
     "module", "fail", "not installed, nor its source", f"idxd-mdev-dkms linux-headers-{re.escape(KERNEL)}",
     "intel/idxd-config 85"),
    ("no headers", {**NOT_INSTALLED, **NOTHING_BUILT, f"{MODULES}/build": GONE},
     "module", "fail", f"headers of kernel {re.escape(KERNEL)}", "linux-headers"),
    ("DKMS failed", {**NOT_INSTALLED, **NOTHING_BUILT, f"{SOURCE}/build/make.log": "error: x",
                     f"{MODULES}/build": GONE, f"{MODULES}/build/Makefile": ""},
     "module", "fail", "DKMS could not build", "make.log"),
    ("built for another kernel", {**NOT_INSTALLED, f"{MODULES}/build": GONE,
                                  f"{MODULES}/build/Makefile": "",
                                  "lib/modules/6.12.1/modules.dep": "updates/dkms/idxd_mdev.ko.xz:\n"},
     "module", "fail", "for 6.12.1, not for 6.12.48", "dkms install idxd-mdev/0.1.0 -k 6.12.48"),
    ("Secure Boot, unsigned", {**SECURE, "dev/kmsg": "5,9,1,-;Loading of unsigned module is rejected\n"},
     "module", "fail", "unsigned module is rejected; the kernel is locked down", "mokutil --import"),
    ("lockdown, unsigned", {**SECURE, "dev/kmsg": "5,9,1,-;Lockdown: modprobe: unsigned module loading "
                                                  "is restricted; see man kernel_lockdown.7\n"},
     "module", "fail", "loading is restricted", "mokutil --import"),
    ("kept from loading", {**NOT_LOADED, "etc/modprobe.d/no.conf": "install idxd_mdev /bin/false\n"},
     "module", "fail", "/etc/modprobe.d/no.conf", "take the line out of /etc/modprobe.d/no.conf"),
    ("not loaded", NOT_LOADED, "module", "fail", "installed and not loaded", "modprobe idxd_mdev"),
    ("no accelerator", {PCI: GONE}, "accelerator", "fail", "no DSA or IAA", "firmware"),
    ("idxd not loaded", {f"{PCI}/driver": GONE, DSA: GONE, "sys/bus/pci/drivers/idxd": GONE},
     "accelerator", "fail", "idxd is not loaded", "modprobe idxd"),
    ("idxd's probe failed", {f"{PCI}/driver": GONE, DSA: GONE,
                             "dev/kmsg": f"3,9,1,-;idxd {BDF}: Intel(R) IDXD DMA Engine init failed\n"},
     "accelerator", "fail", "init failed", "drivers/idxd/bind"),
    ("taken by SPDK or DPDK", {f"{PCI}/driver": Link("../../drivers/vfio-pci"), DSA: GONE},
     "accelerator", "fail", "vfio-pci has the whole device", "driver_override", "spdk/spdk 2076"),
    ("halted", {f"{DSA}/state": "halted"}, "accelerator", "fail", "halted", "reset"),
    ("fixed configuration", {f"{DSA}/configurable": "0"}, "accelerator", "fail", "fixed", "configurable"),
    ("the erratum", {f"{PCI}/device": "0x0b25", "proc/cpuinfo": CPU.replace(" enqcmd", "")},
     "erratum", "fail", "8086:0b25 is under CVE-2024-21823", "1swq.*allow_unsafe=1.*idxdctl trust dsa0",
     "intel/idxd-config 16, 73"),
    ("the erratum, and queues can be shared",
     {f"{PCI}/device": "0x0b25", f"{DSA}/pasid_enabled": "1",
      "proc/cpuinfo": CPU},
     "erratum", "warn", "no guest may have a queue of its own", "create --type idxd-dsa-1swq-v1 --parent dsa0"),
    ("trusted all the same", {f"{PCI}/device": "0x0b25", f"{PCI}/idxd_mdev_unsafe": "1"},
     "erratum", "warn", "trusted all the same", "idxdctl distrust dsa0"),
    ("the denylist is off", {"sys/module/vfio_pci/parameters/disable_denylist": "Y"},
     "erratum", "warn", "disable_denylist=1", "no mdev needs it",
     "intel/intel-device-plugins-for-kubernetes 517"),
    ("settings of before", {f"{DSA}/state": "disabled", **NO_POOL, f"{STATE}/{BDF}.json": GONE,
                            **all_queues(size="0"), **queue(1, type="user", name="app1")},
     "queues", "fail", "wq0.1 was configured by somebody", f"echo {BDF} > .*unbind.*bind",
     "intel/idxd-config 46"),
    ("the host has all queues", {**NO_POOL, **all_queues(type="user", driver="user", state="enabled")},
     "queues", "fail", "no queue is left: wq0.0 by user, wq0.1 by user", "accel-config disable-wq",
     "intel/qpl 26, 28"),
    ("not adopted", {f"{STATE}/{BDF}.json": GONE},
     "adoption", "fail", "not adopted", "idxdctl adopt dsa0"),
    ("a broken record", {f"{STATE}/{BDF}.json": "{"}, "adoption", "fail", "cannot be used", "journalctl"),
    ("all is reserved", {**NO_POOL, **all_queues(), f"{STATE}/{BDF}.json": '{"host-wqs": 4}'},
     "reservation", "fail", r"4 free queues are kept for the host \(host-wqs 4\)", "lower host-wqs"),
    ("all have mdevs", {**NO_POOL, **all_queues(driver="mdev", type="user", name="idxdvd")},
     "reservation", "fail", "no queue is free: 4 of 4 have mdevs", "destroy an mdev"),
    ("the daemon is not enabled", {"run/systemd/units/invocation:idxdvd.service": GONE,
                                   "etc/systemd/system/dbus-org.idxdvd1.service": GONE},
     "daemon", "fail", "not enabled", "systemctl enable --now idxdvd"),
    ("the daemon has failed", {"run/systemd/units/invocation:idxdvd.service": GONE},
     "daemon", "fail", "does not run$", "journalctl -u idxdvd"),
    ("a policy that is none", {"run/systemd/units/invocation:idxdvd.service": GONE,
                               f"{ETC}/idxdvd/policy.json": "{ quota: 4 }"},
     "daemon", "fail", "policy.json is no JSON", "mend"),
    ("accel-config: type mdev", config({"type": "mdev", "mode": "dedicated"}),
     "accel-config", "warn", "wq0.1 has the type mdev", "idxdctl create", "intel/idxd-config 24"),
    ("accel-config: no driver_name", config({"type": "user", "mode": "dedicated"}),
     "accel-config", "warn", "wq0.1 has the type user and no driver_name", '"driver_name": "user"',
     "intel/idxd-config 40, 45"),
    ("accel-config: threshold", config({"type": "user", "driver_name": "user", "mode": "dedicated",
                                        "threshold": 8}),
     "accel-config", "warn", "dedicated and has a threshold", "threshold", "intel/idxd-config 11"),
    ("accel-config: IAA", config({"type": "user", "driver_name": "user", "max_batch_size": 32}, "iax1"),
     "accel-config", "warn", "max_batch_size, and IAA has no batches", "iax1", "intel/idxd-config 30"),
    ("accel-config: newer attribute", config({"type": "user", "driver_name": "user", "ats_disable": 0}),
     "accel-config", "warn", f"ats_disable, which kernel {re.escape(KERNEL)}", "ats_disable",
     "intel/idxd-config 54"),
    ("accel-config: older name", {ACCFG: '[{"dev":"dsa0","token_limit":0}]'},
     "accel-config", "warn", "token_limit, the old name", "save-config", "intel/idxd-config 9"),
    ("libvirt without the hook", {"etc/libvirt/hooks/qemu.d/idxdvd": GONE},
     "libvirt", "warn", "without our hook", "ln -s"),
    ("little memory may be locked", {"proc/self/status": USER}, "memlock", "warn", "8192 KiB",
     "LimitMEMLOCK"),
]


def make(root, files):
    for path, content in files.items():
        path = os.path.join(root, path.lstrip("/"))
        if content is GONE:
            if os.path.islink(path) or os.path.isfile(path):
                os.remove(path)
            elif os.path.isdir(path):
                shutil.rmtree(path)
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if isinstance(content, Link):
            if os.path.lexists(path):
                os.remove(path)
            os.symlink(content, path)
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(content + "\n" if content and not content.endswith("\n") else content)


def run(files, *options):
    root = tempfile.mkdtemp(prefix="idxdctl-doctor.")
    try:
        make(root, {**HEALTHY})
        # What goes, goes before what comes in its place.
        make(root, {p: c for p, c in files.items() if c is GONE})
        make(root, {p: c for p, c in files.items() if c is not GONE})
        env = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
        p = subprocess.run([os.path.join(BUILD, "idxdctl"), "doctor", "--root", root, *options],
                           env=env, capture_output=True, text=True, check=False)
        if p.stderr:
            raise AssertionError(p.stderr)
        return p.returncode, p.stdout
    finally:
        shutil.rmtree(root)


def checked(files):
    status, out = run(files, "--json")
    said = json.loads(out)
    if status != (0 if said["ready"] else 1):
        raise AssertionError(f"status {status}, ready {said['ready']}")
    return said


def healthy():
    said = checked({})
    bad = [c for c in said["checks"] if c["result"] != "ok" or c["fix"]]
    if bad or not said["ready"]:
        raise AssertionError(f"a healthy host: {bad}")
    if "An mdev can be made here." not in run({})[1]:
        raise AssertionError("the verdict of a healthy host")


def case(name, files, check, result, evidence, fix, *_seen):
    said = checked(files)
    found = [c for c in said["checks"] if c["check"] == check and c["result"] == result]
    if not any(re.search(evidence, c["evidence"]) and re.search(fix, c["fix"]) for c in found):
        raise AssertionError(f"{check}: not so: {[c for c in said['checks'] if c['result'] != 'ok']}")
    # Nothing else is blamed, but for what has to wait; and it is the first thing to do.
    others = [c for c in said["checks"]
              if c["result"] not in ("ok", "skipped") and c not in found]
    first = [c["check"] for c in said["checks"] if c["result"] in ("fail", "unknown")][:1]
    if result == "fail" and first != [check] or result == "warn" and not said["ready"]:
        raise AssertionError(f"first: {first}")
    allowed = {"accelerator"} if check in ("cpu", "vtd") else set()
    if {c["check"] for c in others} - allowed:
        raise AssertionError(f"blamed too: {others}")
    text = run(files)[1]
    if any(len(line) > 80 and " " in line.strip() and not line.startswith(" " * 29)
           for line in text.splitlines()):
        raise AssertionError(f"wide:\n{text}")


def second_accelerator():
    """What fails on one accelerator only is not in the way while another one is whole."""
    other = {}
    for path, content in HEALTHY.items():
        if path.startswith(PCI):
            other[path.replace(BDF, "0000:e7:01.0").replace("dsa0", "dsa1")] = content
    said = checked({**other, f"{STATE}/{BDF}.json": GONE,
                    f"{STATE}/0000:e7:01.0.json": '{"host-wqs": 1}'})
    got = [(c["accelerator"], c["result"]) for c in said["checks"] if c["check"] == "adoption"]
    if got != [("dsa0", "warn"), ("dsa1", "ok")] or not said["ready"]:
        raise AssertionError(f"{got}")


def no_such_tree():
    for root, said in (("/nonexistent", "No such file"), (__file__, "Not a directory")):
        p = subprocess.run([os.path.join(BUILD, "idxdctl"), "doctor", "--root", root],
                           capture_output=True, text=True, check=False)
        if p.returncode != 1 or said not in p.stderr:
            raise AssertionError(f"{p}")


def main():
    failed = 0
    rows = [("healthy", healthy, ()), ("second accelerator", second_accelerator, ()),
            ("no such tree", no_such_tree, ())]
    rows += [(c[0], case, c) for c in CASES]
    for name, function, args in rows:
        try:
            function(*args)
            print(f"ok  {name}")
        except AssertionError as e:
            failed += 1
            print(f"FAILED  {name}: {e}")
    seen = sum(len(c) > 6 for c in CASES)
    print(f"{len(rows) - failed} of {len(rows)} passed; {len(CASES)} failures, {seen} of them reported by "
          "users")
    sys.exit(failed != 0)


main()
