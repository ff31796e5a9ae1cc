// What every class of the addon shares: only the addon makes instances, only methods of the class touch them.
#pragma once

#include <napi.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tortie {

/** Per-environment state: a worker thread that loads the addon has its own constructors. */
struct AddonData {
  std::map<std::string, Napi::FunctionReference> constructors;
};

/**
 * Base of a wrapped class T, which is made from an Init and has kName and kTypeTag. The tag is checked on every call,
 * so a method borrowed by another object cannot reinterpret that object's memory.
 */
template <typename T, typename Init>
class Handle : public Napi::ObjectWrap<T> {
 public:
  using Property = Napi::ClassPropertyDescriptor<T>;

  static void Register(Napi::Env env, Napi::Object exports, const std::vector<Property>& properties) {
    const Napi::Function constructor = Napi::ObjectWrap<T>::DefineClass(env, T::kName, properties);
    env.GetInstanceData<AddonData>()->constructors[T::kName] = Napi::Persistent(constructor);
    exports.Set(T::kName, constructor);
  }

  static Napi::Object Make(Napi::Env env, Init init) {
    pending_ = &init;
    return env.GetInstanceData<AddonData>()->constructors[T::kName].New({});
  }

  /** The T behind a JavaScript value; TypeError for anything else. */
  static T& From(const Napi::Value& value, const char* name) {
    bool tagged = false;
    if (value.IsObject()) napi_check_object_type_tag(value.Env(), value, &T::kTypeTag, &tagged);
    if (!tagged) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be a " + T::kName);
    return *Napi::ObjectWrap<T>::Unwrap(value.As<Napi::Object>());
  }

 protected:
  explicit Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<T>(info) {
    if (pending_ == nullptr) {
      throw Napi::TypeError::New(info.Env(), std::string(T::kName) + " cannot be made with new: use its static methods");
    }
    napi_type_tag_object(info.Env(), info.This(), &T::kTypeTag);
  }

  static Init TakeInit() { return std::move(*std::exchange(pending_, nullptr)); }

  using Method = Napi::Value (T::*)(const Napi::CallbackInfo&);
  using StaticMethod = Napi::Value (*)(const Napi::CallbackInfo&);

  template <Method method>
  static Property OnInstance(const char* name) {
    return Property({name, nullptr, Enter<method>, nullptr, nullptr, nullptr, napi_default_method, nullptr});
  }

  template <Method method>
  static Property Getter(const char* name) {
    const auto attributes = static_cast<napi_property_attributes>(napi_enumerable | napi_configurable);
    return Property({name, nullptr, nullptr, Enter<method>, nullptr, nullptr, attributes, nullptr});
  }

  template <StaticMethod method>
  static Property OnClass(const char* name) {
    const auto attributes = static_cast<napi_property_attributes>(napi_default_method | napi_static);
    return Property({name, nullptr, EnterStatic<method>, nullptr, nullptr, nullptr, attributes, nullptr});
  }

  /** To throw when the handle is used after close(). */
  [[noreturn]] static void ThrowClosed(Napi::Env env) {
    throw Napi::Error::New(env, std::string(T::kName) + " is closed");
  }

 private:
  template <Method method>
  static napi_value Enter(napi_env env, napi_callback_info raw) {
    return Guard(env, raw, [](const Napi::CallbackInfo& info) {
      return (From(info.This(), "receiver").*method)(info);
    });
  }

  template <StaticMethod method>
  static napi_value EnterStatic(napi_env env, napi_callback_info raw) {
    return Guard(env, raw, method);
  }

  template <typename Body>
  static napi_value Guard(napi_env env, napi_callback_info raw, Body body) {
    try {
      const Napi::CallbackInfo info(env, raw);
      return body(info);
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();
    } catch (const std::exception& error) {
      napi_throw_error(env, nullptr, error.what());
    }
    return nullptr;
  }

  inline static thread_local Init* pending_ = nullptr;
};

}  // namespace tortie
