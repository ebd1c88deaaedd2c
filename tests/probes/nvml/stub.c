/* NVML as far as it is asked here. What each device tells stands in the file that NVML_STUB names, a line a device,
 * read anew at every call:
 *   uuid model millijoules milliwatts mig error
 * millijoules and milliwatts below 0 are NVML's error codes (-3 not supported, -4 no permission), `error` is that of
 * opening it (15 is lost), and `mig` the id of its one slice, `-` without MIG.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 16
typedef int Result;
typedef struct { char uuid[64], model[64], mig[64]; long long millijoules, milliwatts; int error; } Device;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned gpu, memory; } Utilization;

static Device devices[MOST], slices[MOST];

static int look(void) {
    FILE *file = fopen(getenv("NVML_STUB"), "r");
    int count = 0;
    if (!file) return 0;
    while (count < MOST) {
        Device *one = &devices[count];
        if (fscanf(file, "%63s %63s %lld %lld %63s %d", one->uuid, one->model, &one->millijoules, &one->milliwatts,
                   one->mig, &one->error) != 6) break;
        strcpy(slices[count].uuid, one->mig);
        count++;
    }
    fclose(file);
    return count;
}

static Result text(char *to, unsigned size, const char *from) { snprintf(to, size, "%s", from); return 0; }

Result nvmlInitWithFlags(unsigned flags) { return 0; }
Result nvmlInit_v2(void) { return 0; }
Result nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(Result code) { return code == 4 ? "Insufficient Permissions" : code == 15 ? "GPU is lost" : "an error"; }
Result nvmlDeviceGetCount_v2(unsigned *count) { *count = look(); return 0; }
Result nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) {
    if ((int)index >= look()) return 2;
    *device = &devices[index];
    return devices[index].error;
}
Result nvmlDeviceGetName(Device *device, char *to, unsigned size) { return text(to, size, device->model); }
Result nvmlDeviceGetUUID(Device *device, char *to, unsigned size) { return text(to, size, device->uuid); }
Result nvmlDeviceGetTotalEnergyConsumption(Device *device, unsigned long long *millijoules) {
    look();
    if (device->error) return device->error;
    if (device->millijoules < 0) return -device->millijoules;
    *millijoules = device->millijoules;
    return 0;
}
Result nvmlDeviceGetPowerUsage(Device *device, unsigned *milliwatts) {
    look();
    if (device->error) return device->error;
    if (device->milliwatts < 0) return -device->milliwatts;
    *milliwatts = device->milliwatts;
    return 0;
}
Result nvmlDeviceGetEnforcedPowerLimit(Device *device, unsigned *milliwatts) { *milliwatts = 700000; return 0; }
Result nvmlDeviceGetMemoryInfo(Device *device, Memory *memory) {
    memory->total = 80ull << 30; memory->used = 1ull << 30; memory->free = 79ull << 30;
    return 0;
}
Result nvmlDeviceGetUtilizationRates(Device *device, Utilization *rates) { rates->gpu = rates->memory = 50; return 0; }
Result nvmlDeviceGetMigMode(Device *device, unsigned *now, unsigned *later) {
    if (!strcmp(device->mig, "-")) return 3;
    *now = *later = 1;
    return 0;
}
Result nvmlDeviceGetMaxMigDeviceCount(Device *device, unsigned *count) { *count = 7; return 0; }
Result nvmlDeviceGetMigDeviceHandleByIndex(Device *device, unsigned index, Device **slice) {
    if (index != 2) return 6;
    *slice = &slices[device - devices];
    return 0;
}
